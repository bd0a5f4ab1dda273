"""User data in the tools, browse_dataset, and errors in the data."""
import json
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, TINY, run_tool
from irsde_mm.commands import cli
from irsde_mm.config.files import PACKAGED
from irsde_mm.errors import DataError
from PIL import Image


@pytest.fixture
def photos(tmp_path):
    rng = np.random.default_rng(0)
    folder = tmp_path / 'my photos'
    folder.mkdir()
    for name in 'abc':
        Image.fromarray(rng.integers(0, 256, (90, 100, 3), np.uint8)).save(
            folder / f'{name}.jpg')
    return folder


def test_train_and_test_on_a_folder(photos, tmp_path, capfd):
    run = tmp_path / 'run'
    assert run_tool('train', 'quickstart/dehaze', '--data', photos,
                    '--work-dir', run, '--cfg-options', *TINY,
                    'train_cfg.val_interval=2') == 0
    assert '2 images to train on, 1 to validate' in capfd.readouterr().out
    assert Image.open(run / 'data.png').width > 800
    assert list(run.glob('best_PSNR*.pth'))
    # the saved config names the data
    assert str(photos) in (run / 'dehaze.py').read_text()
    assert run_tool('test', 'quickstart/dehaze', run / 'iter_2.pth', '--data',
                    photos, '--work-dir', tmp_path / 'test', '--cfg-options',
                    *TINY) == 0
    pictures = list((tmp_path / 'test').rglob('vis_image/*'))
    assert [p.name[:1] for p in pictures] == ['a']


@pytest.fixture
def pairs(photos, tmp_path):
    """A folder of pairs whose clean images are the photos."""
    rng = np.random.default_rng(1)
    for side in ('input', 'target'):
        (tmp_path / 'pairs' / side).mkdir(parents=True)
    for path in photos.iterdir():
        clean = np.asarray(Image.open(path))
        noisy = rng.integers(0, 256, clean.shape, np.uint8)
        for side, image in (('input', noisy), ('target', clean)):
            Image.fromarray(image).save(
                tmp_path / 'pairs' / side / f'{path.stem}.png')
    return tmp_path / 'pairs'


def test_pairs_are_refused_by_a_process_without_condition(
        pairs, tmp_path, error):
    options = ['--cfg-options', *TINY, 'train_cfg.max_iters=1']
    text = error('train', 'bsds/denoise_published', '--data', pairs,
                 '--work-dir', tmp_path / 'run', *options)
    assert "pairs/input' would have no effect" in text
    assert 'irsde/derain' in text and f"images: '{pairs}/target'" in text
    assert not list((tmp_path / 'run').rglob('*.pth'))
    # the commands that the message suggests work
    for config, folder in (('bsds/denoise_published', pairs / 'target'),
                           ('quickstart/derain', pairs)):
        assert run_tool('train', config, '--data', folder, '--work-dir',
                        tmp_path / Path(config).name, *options) == 0


def test_browse_dataset_shows_network_inputs(pairs, tmp_path, monkeypatch):
    """States x_t are drawn only for training without a condition."""
    drawn = []
    monkeypatch.setattr(
        'irsde_mm.config.preview.draw_pairs',
        lambda items, path, seen: drawn.append((items, list(seen))))
    for phase in ('train', 'test'):
        for config in ('bsds/denoise_published', 'quickstart/derain'):
            assert run_tool('browse_dataset', config, '--data', pairs,
                            '--phase', phase, '--out', tmp_path
                            / f'{Path(config).name}_{phase}.png') == 0
    (items, seen), *others = drawn
    assert not any(states for _, states in others)
    assert [label for label, _ in seen] == ['x_t, t = 50', 'x_t, t = 100']
    spread = [(image - item['data_samples'].gt_img).std()
              for item, (_, image) in zip(items, seen)]
    assert spread[1] == pytest.approx(70, rel=0.05) and spread[0] < spread[1]


def test_testing_needs_no_training_data(trained, tmp_path):
    assert run_tool('test', 'quickstart/derain', trained / 'iter_2.pth',
                    '--work-dir', tmp_path, '--cfg-options', *TINY,
                    'train_dataloader.dataset.split=gone') == 0


def test_train_on_a_missing_folder(tmp_path, error):
    assert 'does not exist' in error(
        'train', 'quickstart/sr', '--data', tmp_path / 'x', '--work-dir',
        tmp_path / 'run')
    assert not (tmp_path / 'run').exists()


def test_pairs_in_one_folder(tmp_path, error):
    folder = tmp_path / 'pairs'
    folder.mkdir()
    for name in ('1_hazy', '1_GT', '2_hazy', '2_GT', 'notes'):
        Image.new('RGB', (64, 64), 'grey').save(folder / f'{name}.png')
    data = ['--data', folder, '--pairs', '{}_hazy', '{}_GT']
    with pytest.warns(UserWarning, match='notes.png'):
        assert run_tool('train', 'quickstart/dehaze', *data, '--work-dir',
                        tmp_path / 'run', '--cfg-options', *TINY) == 0
    assert '{}_hazy' in (tmp_path / 'run' / 'dehaze.py').read_text()
    look = ['browse_dataset', 'quickstart/dehaze', '--out']
    for number, (args, words) in enumerate((
            (data[2:], '--pairs requires --data'),
            ([*data[:4], '{}_gt'], "matches '{}_gt'"),
            ([*data[:4], 'GT'], "'{}' exactly once, but got 'GT'"),
            ([*data, '--cfg-options',
              'train_dataloader.dataset.templates.img={}_x'],
             'train_dataloader.dataset.templates.img has no effect'),
            ([*data, '--cfg-options',
              "train_dataloader.dataset=dict(a='',b='')"], 'KEY=VALUE'))):
        assert words in error(*look, tmp_path / f'{number}.png', *args)


def masks(folder, size, value=0):
    folder.mkdir(parents=True)
    mask = np.full(size, 255, np.uint8)
    mask[3:9] = value
    Image.fromarray(mask).save(folder / 'm.png')


@pytest.mark.grid(at_most=1)
@pytest.mark.parametrize('size, value, words', [
    ((90, 101), 0, "m.png' is 101x90, but .*.jpg' is 100x90"),
    ((90, 100), 128, "m.png' has gray values")])
@pytest.mark.parametrize('workers', [0, 1])
def test_invalid_masks(photos, tmp_path, error, size, value, words, workers):
    import re
    masks(tmp_path / 'masks', size, value)
    config = tmp_path / 'own.py'
    config.write_text(f'''
_base_ = '{PACKAGED}/irsde/inpaint.py'
pipeline = [dict(type='LoadImageFromFile', key='gt'),
            dict(type='irsde_mm.KeepMask', folder=r'{tmp_path}/masks'),
            dict(type='PackInputs')]
model = dict(generator=dict(base_channels=4, depth=2))
train_dataloader = dict(
    num_workers={workers}, persistent_workers=False, batch_size=1,
    dataset=dict(data_root=r'{photos}', min_size=1, pipeline=pipeline))
val_dataloader = test_dataloader = dict(num_workers=0, dataset=dict(
    data_root=r'{photos}', pipeline=pipeline))
''')
    assert re.search(words, error('train', config, '--work-dir',
                                  tmp_path / 'run'))


def test_depth_maps_of_another_size(photos, tmp_path, error):
    depth = tmp_path / 'depth'
    depth.mkdir()
    for name in 'abc':
        Image.new('L', (9, 8)).save(depth / f'{name}.png')
    for args in (['browse_dataset', 'quickstart/dehaze', '--out',
                  tmp_path / 'x.png'],
                 ['train', 'quickstart/dehaze', '--work-dir',
                  tmp_path / 'run']):
        message = error(*args, '--data', photos, '--cfg-options',
                        f'degradation.0.depth_folder={depth}')
        assert 'depth map' in message and '9x8' in message


def test_noise_above_the_maximum_of_the_process(tmp_path, error):
    """The error comes before training, not at the first validation."""
    config = tmp_path / 'noise.py'
    config.write_text('_base_ = ' + repr([
        str(ROOT / 'configs' / '_base_' / name) for name in (
            'models/quickstart_denoising.py', 'datasets/builtin_noise.py',
            'schedules/quickstart.py', 'default_runtime.py')]))
    message = error('train', config, '--work-dir', tmp_path,
                    '--cfg-options', *TINY,
                    'val_dataloader.dataset.pipeline.0.sigma=0.3')
    assert '76.5/255' in message and '70/255' in message


def test_data_worker_errors_take_one_line():
    text = ('Caught DataError in DataLoader worker process 0.\nOriginal '
            'Traceback (most recent call last):\n  File "x.py", line 1\n'
            "irsde_mm.errors.DataError: the mask 'm.png' has Error: values.\n")
    assert cli.user_message(DataError(text)) == (
        "the mask 'm.png' has Error: values.")
    assert cli.user_message(DataError('plain')) == 'plain'


@pytest.mark.parametrize('phase, number', [('train', 4), ('test', 3)])
def test_browse(tmp_path, capfd, phase, number):
    out = tmp_path / 'look.png'
    assert run_tool('browse_dataset', 'quickstart/sr', '--phase', phase,
                    '--number', 4, '--out', out) == 0
    assert f'{number} samples' in capfd.readouterr().out
    assert np.asarray(Image.open(out)).std() > 10


def test_browse_errors(tmp_path, error):
    out = tmp_path / 'look.png'
    out.write_text('mine')
    assert 'not overwritten' in error('browse_dataset', 'quickstart/sr',
                                      '--out', out)
    assert out.read_text() == 'mine'
    assert '.png' in error('browse_dataset', 'quickstart/sr', '--out',
                           tmp_path / 'x.gif')
    assert 'at least 1' in error('browse_dataset', 'quickstart/sr', '--out',
                                 tmp_path / 'x.png', '--number', 0)
    assert 'no config' in error('browse_dataset', 'quickstart/srr', '--out',
                                tmp_path / 'x.png')
    assert 'does not exist' in error('browse_dataset', 'irsde/derain',
                                     '--out', tmp_path / 'x.png')


def test_benchmark_of_data(tmp_path, photos, capfd):
    out = tmp_path / 'data.json'
    assert run_tool('benchmark', 'data', 'quickstart/denoise', '--data',
                    photos, '--batches', 2, '--repeats', 1, '--out',
                    out) == 0
    figures = json.loads(out.read_text())
    assert figures['pipeline_images_per_s'] > figures[
        'training_images_per_s'] > 0
    assert 'ratio' in capfd.readouterr().out
