"""Training, conversion, export and restoring of latent models."""
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import GOLDEN, run_tool
from irsde_mm.apis import init_restorer
from irsde_mm.models import LatentRestorer
from PIL import Image

BASES = '''_base_ = [
    'irsde_mm::_base_/models/{model}.py',
    'irsde_mm::_base_/datasets/builtin_haze.py',
    'irsde_mm::_base_/schedules/quickstart.py',
    'irsde_mm::_base_/default_runtime.py']
'''
SIZES = dict(base_channels=4, channel_factors=[1, 2], latent_channels=4)
AUTOENCODER = f'''model = dict(generator=dict({SIZES}))
train_cfg = dict(max_iters=2, val_interval=2)
train_dataloader = dict(batch_size=2)
val_dataloader = dict(dataset=dict(indices=1))
'''
PROCESS = f'''model = dict(
    autoencoder=dict({SIZES}), generator=dict(
        img_channels=4, width=4, enc_blocks=[1], dec_blocks=[1]),
    sampler=dict(_delete_=True, type='irsde_mm.JumpSampler', num_steps=2))
train_cfg = dict(max_iters=2, val_interval=2)
train_dataloader = dict(batch_size=2)
val_dataloader = dict(dataset=dict(indices=1))
'''


def write(folder: Path, name: str, model: str, text: str) -> str:
    path = folder / f'{name}.py'
    path.write_text(BASES.format(model=model) + text)
    return str(path)


@pytest.fixture(scope='module')
def runs(tmp_path_factory) -> Path:
    """Work directories of both trainings, two iterations each."""
    folder = tmp_path_factory.mktemp('latents')
    first = write(folder, 'autoencoder', 'refusion_latent_autoencoder',
                  AUTOENCODER)
    assert run_tool('train', first, '--work-dir', folder / 'first') == 0
    second = write(folder, 'process', 'refusion_latent', PROCESS)
    weights = folder / 'first' / 'iter_2.pth'
    assert run_tool('train', second, '--work-dir', folder / 'second',
                    '--cfg-options',
                    f'model.autoencoder_checkpoint={weights}') == 0
    return folder


def test_the_autoencoder_is_kept(runs):
    """The second checkpoint contains the weights of the first."""
    first, second = (torch.load(runs / name / 'iter_2.pth', weights_only=True)
                     for name in ('first', 'second'))
    for key, value in first['state_dict'].items():
        name = key.replace('generator.', 'autoencoder.', 1)
        if name != key:
            torch.testing.assert_close(second['state_dict'][name], value)
    saved = second['meta']['irsde_mm']
    assert saved['generator']['long_skip'] is True
    assert saved['autoencoder']['latent_channels'] == 4
    assert list((runs / 'first').glob('best_PSNR*.pth'))


def restored(model, photo, folder) -> np.ndarray:
    assert run_tool('restore', photo, '--model', model, '--out', folder) == 0
    path, = folder.glob('my photo*.png')
    return np.asarray(Image.open(path))


def test_restoring_without_the_autoencoder_file(runs, photo, tmp_path,
                                                monkeypatch):
    """From the work folder and an exported file, with the same result."""
    monkeypatch.chdir(tmp_path)
    exported = tmp_path / 'haze.safetensors'
    assert run_tool('export', runs / 'second', '--out', exported) == 0
    ours = restored(runs / 'second', photo, tmp_path / 'a')
    theirs = restored(exported, photo, tmp_path / 'b')
    assert ours.shape == (20, 31, 3)
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
def test_quickstarts(photo, tmp_path, monkeypatch):
    """A few iterations of both configs in order, in one folder, without an
    option that names the first result; then a photo."""
    monkeypatch.chdir(tmp_path)
    small = ['train_cfg.max_iters=3', 'train_cfg.val_interval=3',
             'train_dataloader.batch_size=2',
             'val_dataloader.dataset.indices=1']
    for name in ('latent_autoencoder_dehaze', 'latent_dehaze'):
        assert run_tool('train', f'quickstart/{name}', '--cfg-options',
                        *small) == 0
        folder = tmp_path / 'work_dirs' / name
        # the iteration that the second config names
        (folder / 'iter_3.pth').rename(folder / 'iter_1600.pth')
    result = restored(folder, photo, tmp_path / 'out')
    assert result.shape == (20, 31, 3)
    assert not np.array_equal(result, np.asarray(Image.open(photo)))


def test_an_autoencoder_does_not_restore(runs, photo, tmp_path, capfd):
    assert run_tool('restore', photo, '--model', runs / 'first', '--out',
                    tmp_path / 'out') != 0
    assert 'train a LatentRestorer' in capfd.readouterr().err


def test_missing_autoencoder(runs, tmp_path, error):
    assert 'needs a trained autoencoder; set model.autoencoder_checkpoint' in \
        error('train', runs / 'process.py', '--work-dir', tmp_path / 'run')
    assert not list(tmp_path.rglob('*.pth'))


@pytest.fixture
def config(tmp_path) -> str:
    """A process on latents, of another size."""
    return write(tmp_path, 'process', 'refusion_latent', PROCESS)


NETWORK, AUTO = (str(GOLDEN / f'{name}_official.pth') for name in (
    'latent_nafnet_w8', 'latent_unet_ch8'))


def test_both_published_checkpoints_into_one_file(config, tmp_path, photo,
                                                  golden):
    out, exported = tmp_path / 'converted', tmp_path / 'haze.safetensors'
    assert run_tool('convert_checkpoint', NETWORK, '--autoencoder', AUTO,
                    '--config', config, '--out', out) == 0
    assert run_tool('export', out, '--out', exported) == 0
    pipeline = init_restorer(str(exported), device='cpu')
    g, h = golden('latent_nafnet_w8'), golden('latent_unet_ch8')
    with torch.no_grad():
        y = pipeline.network(g['x'], g['cond'], g['t'])
        z = pipeline.hooks.encode(h['lq'])[0]
    assert (y - g['y']).abs().max() < 1e-5 * g['y'].abs().max()
    assert (z - h['latent_lq']).abs().max() < 1e-5 * h['latent_lq'].abs().max()
    result = pipeline(str(photo))
    assert result.shape == (20, 31, 3)


def test_published_autoencoder_for_training(runs, config, tmp_path):
    """Convert it alone, and train a process on it."""
    out = tmp_path / 'autoencoder'
    assert run_tool('convert_checkpoint', AUTO, '--config',
                    runs / 'autoencoder.py', '--out', out) == 0
    from irsde_mm.config import load_config
    from irsde_mm.registry import MODELS
    from mmengine.registry import DefaultScope
    cfg = load_config(config, {
        'model.autoencoder': load_config(
            str(out / 'autoencoder.py')).model.generator.to_dict(),
        'model.autoencoder_checkpoint': str(out / 'converted.pth')})
    with DefaultScope.overwrite_default_scope('mmagic'):
        model = MODELS.build(cfg.model)
    assert isinstance(model, LatentRestorer)
    model.init_weights()


def test_one_checkpoint_missing_or_exchanged(config, tmp_path, error):
    def convert(*args) -> str:
        return error('convert_checkpoint', *args, '--out', tmp_path / 'new')

    assert 'needs a second checkpoint' in convert(NETWORK, '--config', config)
    assert 'no checkpoint' in convert(
        NETWORK, '--config', config, '--autoencoder', tmp_path / 'x.pth')
    assert 'time_mlp' in convert(
        NETWORK, '--config', config, '--autoencoder', NETWORK)
    assert 'not an irsde_mm.AutoencoderModel' in convert(
        AUTO, '--config', config, '--autoencoder', AUTO)
    assert 'no place for --autoencoder' in convert(
        NETWORK, '--config', 'irsde/refusion_dehaze', '--autoencoder', AUTO)
    assert 'not an irsde_mm.LatentRestorer' in convert(
        NETWORK, '--config', 'irsde/refusion_dehaze', '--arch',
        'latent_nafnet')
    assert not (tmp_path / 'new').exists()


def test_channels_that_do_not_fit(runs, tmp_path, error):
    assert '4 latent channels, but the network of the process takes 5' in \
        error('train', runs / 'process.py', '--work-dir', tmp_path / 'run',
              '--cfg-options', 'model.generator.img_channels=5')
