"""--data: any config on a user's own folder."""
import numpy as np
import pytest
from irsde_mm.config import config_scope, load_config
from irsde_mm.config.own_data import VAL_SIDE, use_folder
from irsde_mm.errors import ConfigError, DataError
from mmengine.registry import DATASETS
from PIL import Image

TASKS = ('derain', 'denoise', 'deblur', 'sr', 'inpaint', 'dehaze')


def write(folder, names, size=(140, 130), mode='RGB'):
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for name in names:
        pixels = rng.integers(0, 256, (size[1], size[0], 3), np.uint8)
        Image.fromarray(pixels).convert(mode).save(folder / f'{name}.png')


def build(cfg, phase):
    with config_scope(cfg):
        return DATASETS.build(cfg[f'{phase}_dataloader'].dataset)


def paths(dataset):
    return {info['gt_path'] for info in map(dataset.get_data_info,
                                            range(len(dataset)))}


@pytest.mark.grid
@pytest.mark.parametrize('family', ['irsde', 'quickstart'])
@pytest.mark.parametrize('task', TASKS)
def test_clean_photos_for_every_task(tmp_path, family, task):
    write(tmp_path, range(12))
    cfg = load_config(f'{family}/{task}')
    assert '10 images to train on, 2 to' in use_folder(cfg, str(tmp_path))
    train, val, test = (build(cfg, p) for p in ('train', 'val', 'test'))
    assert not paths(train) & paths(val) and paths(val) == paths(test)
    side = cfg.patch_size
    for dataset, size in ((train, {side}), (val, {140, 130, 128})):
        sample = dataset[0]['data_samples']
        assert dataset[0]['inputs'].shape == sample.gt_img.shape
        assert set(sample.gt_img.shape[1:]) <= size
        assert not np.array_equal(dataset[0]['inputs'], sample.gt_img)
    assert np.array_equal(val[0]['inputs'], val[0]['inputs']), 'not random'
    assert ('sigma' in val[0]['data_samples']) == (task == 'denoise')
    assert isinstance(cfg.test_evaluator, dict)
    assert all(m.get('prefix') is None for m in cfg.test_evaluator.metrics)


@pytest.mark.parametrize('config', ['irsde/dehaze', 'quickstart/inpaint'])
def test_pairs_are_not_degraded_again(tmp_path, config):
    for side in ('input', 'target'):
        write(tmp_path / side, 'abc')
    cfg = load_config(config)
    use_folder(cfg, str(tmp_path))
    sample = build(cfg, 'train')[1]
    assert np.array_equal(sample['inputs'], sample['data_samples'].gt_img)
    assert np.array_equal(*(build(cfg, 'test')[0]['inputs']
                            for _ in range(2)))


def test_low_resolution_pairs_are_upsampled(tmp_path):
    for part in ('train', 'val'):
        write(tmp_path / part / 'input', 'ab', size=(40, 36))
        write(tmp_path / part / 'target', 'ab', size=(160, 144))
    cfg = load_config('irsde/sr')
    assert use_folder(cfg, str(tmp_path)).startswith('2 images to train')
    assert build(cfg, 'train')[0]['inputs'].shape == (3, 128, 128)
    assert build(cfg, 'val')[0]['inputs'].shape == (3, 144, 160)
    write(tmp_path / 'train' / 'input', 'b', size=(41, 36))
    with pytest.raises(DataError, match='not 4 times that'):
        build(cfg, 'train')


@pytest.mark.parametrize('degraded, clean', [
    ('{}_hazy', '{}_GT'), ('low/{}', 'high/{}'), ('a/b/{}', 'a/{}'),
    ('rainy/rain-{}', 'norain-{}')])
def test_pairs_with_other_names(tmp_path, degraded, clean):
    for text in (degraded, clean):
        folder, _, name = text.rpartition('/')
        write(tmp_path / folder, [name.format(i) for i in range(12)])
    pairs = {str(tmp_path / f'{clean.format(i)}.png'):
             str(tmp_path / f'{degraded.format(i)}.png') for i in range(12)}
    cfg = load_config('quickstart/dehaze')
    assert '10 images to train on, 2 to' in use_folder(
        cfg, str(tmp_path), (degraded, clean))
    train, val = (build(cfg, phase) for phase in ('train', 'val'))
    assert paths(train) | paths(val) == set(pairs)
    assert not paths(train) & paths(val)
    for info in map(train.get_data_info, range(10)):
        assert info['img_path'] == pairs[info['gt_path']]
    assert train[0]['inputs'].shape == (3, 64, 64)


def test_hold_out_all_degraded_images_of_a_clean_one(tmp_path):
    write(tmp_path / 'clear', range(11, 23), (64, 64))
    write(tmp_path / 'hazy', [f'{i}_{k}' for i in range(11, 23)
                              for k in range(3)], (64, 64))
    cfg = load_config('quickstart/dehaze')
    assert '30 images to train on, 6 to' in use_folder(
        cfg, str(tmp_path), ('hazy/{}_*', 'clear/{}'))
    train, val = (paths(build(cfg, phase)) for phase in ('train', 'val'))
    assert len(train) == 10 and len(val) == 2 and not train & val


def test_parts_of_pairs_with_other_names(tmp_path):
    for part, names in (('train', 'abc'), ('test', 'de')):
        write(tmp_path / part, [f'{name}{side}' for name in names
                                for side in ('_in', '_out')])
    cfg = load_config('quickstart/dehaze')
    assert '3 images to train on, 2 to' in use_folder(
        cfg, str(tmp_path), ('{}_in', '{}_out'))
    assert len(build(cfg, 'train')) == 3 and len(build(cfg, 'test')) == 2


@pytest.mark.parametrize('pairs', [
    ('x', '{}'), ('{}', '{}_*'), ('{}', ), ('{}', '{}', '{}'), (1, 2)])
def test_invalid_templates_of_pairs(tmp_path, pairs):
    write(tmp_path, 'ab')
    with pytest.raises(ConfigError, match="such as '{}_hazy' '{}_GT'"):
        use_folder(load_config('quickstart/dehaze'), str(tmp_path), pairs)


def test_validation_crops_the_center(tmp_path):
    write(tmp_path, 'ab', size=(VAL_SIDE + 100, 140))
    cfg = load_config('quickstart/denoise')
    use_folder(cfg, str(tmp_path))
    assert build(cfg, 'val')[0]['inputs'].shape == (3, 140, VAL_SIDE)
    assert build(cfg, 'test')[0]['inputs'].shape == (3, 140, VAL_SIDE + 100)


def test_grey_models_read_grey(tmp_path):
    write(tmp_path, 'ab')
    cfg = load_config('irsde/denoise_grey')
    use_folder(cfg, str(tmp_path))
    assert build(cfg, 'train')[0]['inputs'].shape == (1, 128, 128)


def test_images_with_depth_maps_are_not_cropped(tmp_path):
    """The maps have the size of whole images."""
    photos, folder = tmp_path / 'photos', tmp_path / 'maps'
    write(photos, 'ab', size=(300, 200))
    write(folder, 'ab', size=(300, 200), mode='L')
    cfg = load_config('quickstart/dehaze',
                      {'degradation.0.depth_folder': str(folder)})
    use_folder(cfg, str(photos))
    assert build(cfg, 'train')[0]['inputs'].shape == (3, 64, 64)
    assert build(cfg, 'val')[0]['inputs'].shape == (3, 200, 300)


@pytest.mark.parametrize('size', [(141, 131), (163, 130), (130, 129)])
def test_sizes_that_the_scale_does_not_divide(tmp_path, size):
    """The clean image is cropped to a multiple of the scale."""
    write(tmp_path, 'ab', size)
    cfg = load_config('irsde/sr')
    use_folder(cfg, str(tmp_path))
    whole = (3, size[1] // 4 * 4, size[0] // 4 * 4)
    for phase, shape in (('train', (3, 128, 128)), ('test', whole)):
        sample = build(cfg, phase)[0]
        assert sample['inputs'].shape == shape
        assert sample['data_samples'].gt_img.shape == shape


@pytest.mark.parametrize('name', [
    'a [1] b', 'Größe 写真', "q'uo\"te", 'back\\slash', '$HOME {x} %s', '*'])
def test_folders_of_any_name(tmp_path, name):
    """Names survive in the config that a run saves."""
    folder = tmp_path / name
    for side in ('input', 'target'):
        write(folder / side, 'abc')
    cfg = load_config('quickstart/derain')
    use_folder(cfg, str(folder))
    cfg.dump(str(tmp_path / 'dumped.py'))
    for config in (cfg, load_config(str(tmp_path / 'dumped.py'))):
        assert paths(build(config, 'val')) == {
            str(folder / 'target' / 'a.png')}


def test_one_image_per_part(tmp_path):
    for part in ('train', 'val'):
        write(tmp_path / part, [part])
    cfg = load_config('quickstart/derain')
    assert '1 images to train on, 1 to' in use_folder(cfg, str(tmp_path))
    assert len(build(cfg, 'train')) == len(build(cfg, 'val')) == 1


def test_unusable_folders(tmp_path):
    def use(folder, config='quickstart/derain'):
        use_folder(load_config(config), str(tmp_path / folder))

    with pytest.raises(DataError, match='does not exist'):
        use('nowhere')
    write(tmp_path / 'one', 'a')
    with pytest.raises(DataError, match='one image'):
        use('one')
    write(tmp_path / 'half' / 'input', 'ab')
    with pytest.raises(DataError, match='both'):
        use('half')
    write(tmp_path / 'alone' / 'train', 'ab')
    with pytest.raises(DataError, match='neither val/ nor test/'):
        use('alone')
    write(tmp_path / 'small', 'ab', size=(50, 300))
    cfg = load_config('quickstart/derain')
    use_folder(cfg, str(tmp_path / 'small'))
    with pytest.raises(DataError, match='50x300, below 64'):
        build(cfg, 'train')
    cfg = load_config('quickstart/derain')
    cfg.pop('degradation')
    with pytest.raises(ConfigError, match='no degradation'):
        use_folder(cfg, str(tmp_path / 'one'))


@pytest.mark.parametrize('config, pairs, key, words', [
    ('quickstart/derain', True, 'degradation.0.length', 'nothing is degraded'),
    ('irsde/sr', True, 'region', 'nothing is degraded'),
    ('irsde/derain', False, 'train_dataloader.dataset.pipeline.0.cache_mb',
     'replaces the config'),
    ('irsde/derain', True, 'test_dataloader.dataset.hint',
     'replaces the config')])
def test_options_without_effect_are_refused(config, pairs, key, words,
                                            tmp_path):
    for folder in ('input', 'target') if pairs else ('', ):
        write(tmp_path / folder, 'ab')
    with pytest.raises(ConfigError, match=f'{key} has no effect.*{words}'):
        use_folder(load_config(config), str(tmp_path), options=[key])


def test_options_with_effect_are_accepted(tmp_path):
    write(tmp_path / 'clean', 'ab')
    use_folder(load_config('quickstart/derain'), str(tmp_path / 'clean'),
               options=['degradation.0.length', 'region', 'patch_size',
                        'train_dataloader.batch_size',
                        'train_dataloader.dataset.max_skipped'])
    for side, size in (('input', (40, 40)), ('target', (160, 160))):
        write(tmp_path / 'pairs' / side, 'ab', size=size)
    cfg = load_config('irsde/sr')
    place = [step.type for step in cfg.degradation].index('irsde_mm.Upsample')
    use_folder(cfg, str(tmp_path / 'pairs'),
               options=[f'degradation.{place}.scale'])
