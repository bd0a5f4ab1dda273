"""Sharded training: what is refused, and two processes."""
import os
import subprocess
import sys

import pytest
import torch
from conftest import ROOT, TINY
from irsde_mm.apis import init_restorer
from irsde_mm.config import load_config
from irsde_mm.engine.strategies import check_strategy
from irsde_mm.errors import ConfigError

CONFIG = '''
_base_ = 'irsde_mm::quickstart/derain.py'
strategy = dict(type='irsde_mm.FSDPStrategy')
custom_hooks = []
default_hooks = dict(pictures=None)
'''


def config(**changes):
    cfg = load_config('irsde/derain_fsdp')
    cfg.launcher = 'pytorch'
    if 'default_hooks.pictures' in changes:
        del cfg.default_hooks['pictures']  # None cannot be merged
    cfg.merge_from_dict(changes)
    return cfg


def test_config_is_accepted():
    check_strategy(config())


@pytest.mark.parametrize('changes, message', [
    ({'strategy.type': 'FSDPStrategy'}, 'use irsde_mm.FSDPStrategy'),
    ({'strategy.type': 'DeepSpeedStrategy'}, 'is not supported'),
    ({'launcher': 'none'}, 'tools/dist_train.sh'),
    ({'custom_hooks': [dict(type='EMAHook')]}, 'leave out custom_hooks.0'),
    ({'default_hooks.pictures': dict(type='irsde_mm.PicturesHook')},
     'leave out default_hooks.pictures')])
def test_what_a_strategy_does_not_support(changes, message):
    with pytest.raises(ConfigError, match=message):
        check_strategy(config(**changes))


def test_one_process_is_refused_by_the_tool(tmp_path, error):
    path = tmp_path / 'config.py'
    path.write_text(CONFIG)
    assert 'several processes' in error('train', path, '--work-dir',
                                        tmp_path / 'run')


def train(path, folder, iters: int, *args) -> str:
    """Train on two processes; return what they print."""
    options = [option for option in TINY if 'max_iters' not in option]
    done = subprocess.run(
        ['bash', ROOT / 'tools' / 'dist_train.sh', path, '2', '--work-dir',
         folder, *args, '--cfg-options', *options,
         f'train_cfg.max_iters={iters}', 'train_cfg.val_interval=3',
         'default_hooks.checkpoint.interval=3',
         'default_hooks.logger.interval=1',
         'val_dataloader.dataset.indices=2'],
        text=True, capture_output=True, env={
            **os.environ, 'PYTHON': sys.executable, 'OMP_NUM_THREADS': '1',
            'PORT': '29717'})
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout + done.stderr


@pytest.mark.slow
def test_two_processes_train_resume_and_restore(tmp_path):
    """The checkpoint is that of one process, which all tools read."""
    path = tmp_path / 'config.py'
    path.write_text(CONFIG)
    train(path, tmp_path / 'run', 3)
    out = train(path, tmp_path / 'run', 6, '--resume')
    assert 'Iter(train) [4/6]' in out and 'Iter(train) [3/6]' not in out
    first, last = (torch.load(tmp_path / 'run' / f'iter_{n}.pth',
                              weights_only=True) for n in (3, 6))
    steps = {int(state['step']) for state
             in last['optimizer']['state'].values()}
    assert steps == {6} and last['meta']['iter'] == 6
    assert any(not torch.equal(value, last['state_dict'][key])
               for key, value in first['state_dict'].items())
    model = init_restorer(tmp_path / 'run')
    for key, value in model.state_dict().items():
        torch.testing.assert_close(value, last['state_dict'][key])
