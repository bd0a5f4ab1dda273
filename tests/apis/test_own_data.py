"""--data: any config on somebody's own folder."""
import numpy as np
import pytest
from irsde_mm.apis.configs import load_config
from irsde_mm.apis.own_data import VAL_SIDE, use_folder
from irsde_mm.errors import ConfigError, DataError
from mmengine.registry import DATASETS, DefaultScope
from PIL import Image

TASKS = ('derain', 'denoise', 'deblur', 'sr', 'inpaint', 'dehaze')


def write(folder, names, size=(140, 130), mode='RGB'):
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for name in names:
        pixels = rng.integers(0, 256, (size[1], size[0], 3), np.uint8)
        Image.fromarray(pixels).convert(mode).save(folder / f'{name}.png')


def build(cfg, phase):
    with DefaultScope.overwrite_default_scope('mmagic'):
        return DATASETS.build(cfg[f'{phase}_dataloader'].dataset)


def paths(dataset):
    return {info['gt_path'] for info in map(dataset.get_data_info,
                                            range(len(dataset)))}


@pytest.mark.parametrize('family', ['irsde', 'quickstart'])
@pytest.mark.parametrize('task', TASKS)
def test_every_task_trains_from_clean_photos(tmp_path, family, task):
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
    assert np.array_equal(val[0]['inputs'], val[0]['inputs']), 'fixed by name'
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


def test_small_pairs_are_brought_to_size(tmp_path):
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


def test_validation_takes_the_centre(tmp_path):
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


def test_maps_and_masks_go_with_whole_images(tmp_path):
    """They would not fit crops."""
    photos, folder = tmp_path / 'photos', tmp_path / 'maps'
    write(photos, 'ab', size=(300, 200))
    write(folder, 'ab', size=(300, 200), mode='L')
    cfg = load_config('quickstart/dehaze',
                      {'degradation.0.depth_folder': str(folder)})
    use_folder(cfg, str(photos))
    assert build(cfg, 'train')[0]['inputs'].shape == (3, 64, 64)
    assert build(cfg, 'val')[0]['inputs'].shape == (3, 200, 300)


def test_what_cannot_be_used(tmp_path):
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
