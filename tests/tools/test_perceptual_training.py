"""Training with PerceptualLoss, on the command line."""
from pathlib import Path

import pytest
import torch
from conftest import TINY, run_tool

CONFIG = """
_base_ = 'irsde_mm::quickstart/derain.py'
model = dict(pixel_loss=dict(
    _delete_=True, type='irsde_mm.SumLoss', weights=[1, 0.01], losses=[
        dict(type='irsde_mm.MaximumLikelihoodLoss', exact=True),
        dict(type='irsde_mm.PerceptualLoss', kind='lpips',
             weights='{weights}')]))
"""
QUICK = [*TINY, 'default_hooks.pictures=None', 'val_cfg=None',
         'val_dataloader=None', 'val_evaluator=None']


@pytest.fixture
def config(tmp_path, vgg16_file):
    weights = tmp_path / 'vgg16.pth'
    weights.symlink_to(vgg16_file)
    path = tmp_path / 'mine.py'
    path.write_text(CONFIG.format(weights=weights))
    return path


@pytest.mark.parametrize('option, message', [
    ('model.pixel_loss.losses.1.weights=none.pth', "no weights found at "
     "'none.pth', which PerceptualLoss needs; run python "
     'tools/prepare_weights.py lpips.'),
    ('train_dataloader.dataset.pipeline.0.crop_size=(12,12)',
     'needs images of at least 16x16 pixels, but got 12x12'),
    ('model.data_preprocessor.output_channel_order=BGR',
     'PerceptualLoss needs RGB images in [0, 1]'),
])
def test_refused_before_training(config, error, tmp_path, option, message):
    folder = tmp_path / 'run'
    assert message in error('train', config, '--work-dir', folder,
                            '--cfg-options', *QUICK, option)
    assert not list(folder.glob('*.pth'))


def test_only_training_needs_the_weights(config, photo, tmp_path):
    folder = tmp_path / 'run'
    assert run_tool('train', config, '--work-dir', folder, '--cfg-options',
                    *QUICK, 'default_hooks.checkpoint.save_best=None') == 0
    content = torch.load(folder / 'iter_2.pth', weights_only=True)
    assert not [key for part in ('state_dict', 'ema_state_dict')
                for key in content.get(part, {}) if 'loss' in key]
    (tmp_path / 'vgg16.pth').unlink()
    assert run_tool('restore', photo, '--model', folder, '--out',
                    tmp_path / 'out') == 0
    assert Path(tmp_path, 'out', 'my photo.png').is_file()
    assert run_tool('export', folder, '--out',
                    tmp_path / 'model.safetensors') == 0
