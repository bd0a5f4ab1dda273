"""Invalid options and configs of the tools: errors of one or two lines."""
import pytest
from conftest import FIGURES, TINY, run_tool

TRIED = FIGURES['malformed options and configs']
# options, and a part of the message about each
TRAIN = {
    'model.generator.width=wide': "'str'",
    'model.generator.width=-4': '-4',
    'model.generator.depth_of_field=3': 'depth_of_field',
    'model.generator.type=irsde_mm.Unet': 'Unet',
    'model.sde.max_sigma=many': "'str'",
    'model.sde.max_sigma=-1': 'max_sigma',
    'model.sde.num_steps=0': 'num_steps',
    'model.sde.schedule=zigzag': 'zigzag',
    'model.sampler.type=irsde_mm.Sampler9': 'Sampler9',
    'model.sampler.num_steps=101': '101',
    'model.pixel_loss.distance.type=mmagic.L9Loss': 'L9Loss',
    'model.colour=red': 'colour',
    'train_dataloader.dataset.type=irsde_mm.Nothing': 'Nothing',
    'train_dataloader.dataset.split=middle': 'middle',
    'train_dataloader.dataset.max_skipped=3': 'max_skipped',
    'train_dataloader.dataset.pipeline.0.type=Cropp': 'Cropp',
    'train_dataloader.batch_size=0': 'batch_size',
    'optim_wrapper.optimizer.lr=fast': "'str'",
    'optim_wrapper.optimizer.speed=3': 'speed',
    'custom_hooks.0.type=NoHook': 'NoHook',
    'default_hooks.skipped.colour=red': 'colour',
    'visualizer.type=NoVisualizer': 'NoVisualizer',
    'train_cfg.type=NoLoop': 'NoLoop',
    'train_cfg.max_iters=-1': 'max_iters',
    'train_cfg.max_iters=long': 'max_iters',
    'param_scheduler.0.end=never': "'str'",
    'param_scheduler.0.speed=3': 'speed',
}
CONFIGS = {
    'syntax': 'model = dict(',
    'raises': '1 / 0',
    'missing_base': "_base_ = './nowhere.py'",
    'bytes': 'x = "\x00"',
    'empty': '',
    'no_model': 'train_dataloader = dict(dataset=dict(type="x"))',
}


@pytest.mark.parametrize('option', TRAIN)
def test_options(option, error, tmp_path):
    message = error('train', 'quickstart/derain', '--work-dir', tmp_path,
                    '--cfg-options', *TINY, option)
    assert TRAIN[option] in message
    TRIED['options: refused'] += 1


@pytest.mark.parametrize('name', CONFIGS)
@pytest.mark.parametrize('tool', ['train', 'browse_dataset'])
def test_configs(name, tool, error, tmp_path):
    config = tmp_path / f'{name}.py'
    config.write_text(CONFIGS[name])
    out = dict(train=['--work-dir', tmp_path / 'run'],
               browse_dataset=['--out', tmp_path / 'x.png'])[tool]
    assert name in error(tool, config, *out) or name == 'no_model'
    TRIED['configs: refused'] += 1


@pytest.mark.parametrize('args', [
    ['restore', 'x', '--out'],
    ['restore', 'x', '--out', 'y', '--steps', 'many'],
    ['restore', 'x', '--out', 'y', '--max-pixels', 'all'],
    ['train'], ['train', 'quickstart/derain', '--launcher', 'rocket'],
    ['test'], ['train', 'x', '--no-such-option']])
def test_usage(args, capfd):
    assert run_tool(*args) == 2
    assert 'usage: ' in capfd.readouterr().err
    TRIED['command lines: refused'] += 1
