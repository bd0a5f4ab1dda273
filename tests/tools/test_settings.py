"""Messages about settings that do not take effect, on the command line."""
import pytest
from conftest import TINY, run_tool

TRAIN = ['train', 'quickstart/denoise', '--work-dir']


@pytest.mark.parametrize('option, message', [
    ('trian_cfg.max_iters=10', "'trian_cfg'; did you mean 'train_cfg'?"),
    ('optim_wrapper.optimiser.lr=1',
     "optim_wrapper.optimiser={'lr': 1}: OptimWrapper has no argument "),
    ('optim_wrapper.optimizer=SGD',
     "optimizer='SGD' must be a dict with a 'type'"),
    ('patch_size=32', 'set train_dataloader.dataset.pipeline.0.crop_size'),
    ('default_hooks.gaurd=None', "did you mean 'guard'?"),
])
def test_refused_before_anything_is_built(error, tmp_path, option, message):
    folder = tmp_path / 'run'
    assert message in error(*TRAIN, folder, '--cfg-options', option)
    assert not folder.exists()


def test_misspelt_name_in_a_config(error, tmp_path):
    path = tmp_path / 'mine.py'
    path.write_text("_base_ = 'irsde_mm::quickstart/denoise.py'\n"
                    'optim_wraper = dict(optimizer=dict(lr=9))\n')
    text = error('train', path, '--work-dir', tmp_path / 'run')
    assert "mine.py': nothing reads 'optim_wraper'; did you mean" in text


def test_new_schedule(error, tmp_path, capfd):
    folder = tmp_path / 'run'
    assert '--new-schedule requires --resume' in error(
        *TRAIN, folder, '--new-schedule')
    options = [*TINY, 'default_hooks.pictures=None', 'val_cfg=None',
               'val_dataloader=None', 'val_evaluator=None',
               'model.sde.max_sigma=70/255']
    resume = [*TRAIN, folder, '--resume', '--new-schedule', '--cfg-options']
    assert run_tool(*resume, *options) == 0, 'no checkpoint yet'
    assert run_tool(*resume, *options, 'train_cfg.max_iters=3',
                    'optim_wrapper.optimizer.lr=1e-4') == 0
    text = capfd.readouterr().out
    assert 'resumed epoch: 0, iter: 2' in text
    assert 'in the checkpoint)' not in text
    assert run_tool(*TRAIN, folder, '--resume', '--cfg-options', *options,
                    'train_cfg.max_iters=4') == 0
    assert 'optim_wrapper.optimizer.lr=0.005 (0.0001 in the checkpoint)' in \
        capfd.readouterr().out
