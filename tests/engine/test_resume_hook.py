"""Settings that were changed before a run is resumed."""
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from conftest import forget_runs
from irsde_mm.config import load_config
from irsde_mm.engine.hooks import ResumeHook
from irsde_mm.engine.schedules import Schedule
from irsde_mm.errors import CheckpointError
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.optim.scheduler import (CosineAnnealingLR, LinearLR,
                                      ReduceOnPlateauLR)
from mmengine.runner import Runner

NEW = {'param_scheduler.1.end': 12, 'param_scheduler.1.T_max': 10,
       'optim_wrapper.optimizer.lr': 1e-4,
       'optim_wrapper.optimizer.betas': (0.5, 0.9)}


def train(folder, iters, resume=False, new_schedule=False, **options):
    cfg = load_config('quickstart/denoise', {
        'train_cfg.max_iters': iters, 'model.generator.width': 4,
        'param_scheduler.0.end': 2, 'param_scheduler.1.begin': 2,
        'param_scheduler.1.end': 6, 'train_dataloader.batch_size': 2,
        'region': 32, 'default_hooks.checkpoint.interval': 4,
        'default_hooks.checkpoint.save_best': None,
        'default_hooks.resume.new_schedule': new_schedule, **options})
    cfg.work_dir, cfg.resume = str(folder), resume
    if resume:
        cfg.load_from = str(folder / 'iter_4.pth')
    for key in ('val_cfg', 'val_dataloader', 'val_evaluator', 'test_cfg',
                'test_dataloader', 'test_evaluator'):
        cfg[key] = None
    forget_runs()
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


def log(runner) -> str:
    path, = Path(runner.log_dir).glob('*.log')
    return path.read_text()


@pytest.fixture(scope='module')
def half(tmp_path_factory):
    """Folder of a run of four iterations."""
    folder = tmp_path_factory.mktemp('half')
    train(folder, 4)
    return folder


@pytest.fixture
def folder(half, tmp_path):
    return shutil.copytree(half, tmp_path / 'run')


def rates(runner) -> list:
    return runner.message_hub.get_scalar('train/lr').data[0].tolist()


def test_changed_settings_are_named(folder):
    runner = train(folder, 6, resume=True, **NEW)
    text = log(runner)
    for part in ('param_scheduler.1.end=12 (6 in the checkpoint)',
                 'optim_wrapper.optimizer.lr=0.0001 (0.005 in the',
                 'optim_wrapper.optimizer.betas=[0.5, 0.9] ([0.9, 0.99] in',
                 '--new-schedule'):
        assert part in text
    group, = runner.optim_wrapper.param_groups[:1]
    assert tuple(group['betas']) == (0.9, 0.99)


def test_unchanged_settings_are_not_named(folder):
    assert 'in the checkpoint' not in log(train(folder, 6, resume=True))


def test_new_schedule_equals_that_of_a_new_run(folder, tmp_path):
    fresh = train(tmp_path / 'fresh', 8, **NEW)
    runner = train(folder, 8, resume=True, new_schedule=True, **NEW)
    assert rates(runner)[4:] == rates(fresh)[4:]
    assert 'in the checkpoint' not in log(runner)
    for one, other in zip(runner.param_schedulers, fresh.param_schedulers):
        assert one.state_dict() == other.state_dict()
    assert tuple(runner.optim_wrapper.param_groups[0]['betas']) == (0.5, 0.9)
    steps = {int(s['step']) for s in
             runner.optim_wrapper.state_dict()['state'].values()}
    assert steps == {8}, 'the moments were resumed'


def test_schedules_of_another_kind(folder):
    with pytest.raises(CheckpointError, match='param_scheduler does not '
                       'match.*--new-schedule'):
        train(folder, 6, resume=True, param_scheduler=None)
    other = [dict(type='MultiStepLR', milestones=[5], by_epoch=False)]
    runner = train(folder, 6, resume=True, new_schedule=True,
                   param_scheduler=other)
    assert rates(runner)[4:] == pytest.approx([5e-3, 5e-4])


def test_schedule_for_a_run_without(tmp_path):
    train(tmp_path, 4, param_scheduler=None)
    with pytest.raises(CheckpointError, match='--new-schedule'):
        train(tmp_path, 6, resume=True)
    runner = train(tmp_path, 6, resume=True, new_schedule=True)
    assert [s.last_step for s in runner.param_schedulers] == [1, 3]


def test_raw_weights_are_resumed_without_ema(folder):
    saved = torch.load(folder / 'iter_4.pth', weights_only=True)
    key = 'generator.conv_in.weight'
    raw = saved['ema_state_dict'][f'module.{key}']
    assert not torch.equal(raw, saved['state_dict'][key])
    runner = train(folder, 4, resume=True, custom_hooks=None)
    assert torch.equal(runner.model.state_dict()[key], raw)
    assert 'continuing from the raw weights' in log(runner)


def wrapper(lr=0.1, kind=torch.optim.Adam, groups=1, **kwargs) -> OptimWrapper:
    parameters = [dict(params=[torch.nn.Parameter(torch.zeros(2))])
                  for _ in range(groups)]
    return OptimWrapper(kind(parameters, lr=lr, **kwargs))


@pytest.mark.parametrize('other', [
    wrapper(kind=torch.optim.SGD, momentum=0.9), wrapper(groups=2)])
def test_refused_optimizers(other):
    schedule = Schedule('', wrapper(), [])
    for call in (lambda s: schedule.compare(s, []),
                 lambda s: schedule.renew(s, dict(iter=1, epoch=0))):
        with pytest.raises(CheckpointError, match='optim_wrapper.optimizer '
                           'does not match.*load_from'):
            call(other.state_dict())


def test_schedules_by_epoch_and_by_score():
    def built(end):
        own = wrapper()
        return own, [LinearLR(own, start_factor=.5, end=end),
                     CosineAnnealingLR(own, T_max=8, begin=2, by_epoch=False),
                     ReduceOnPlateauLR(own, monitor='PSNR')]

    (old, old_schedulers), (new, schedulers) = built(4), built(6)
    state = old.state_dict()
    states = Schedule('', new, schedulers).renew(state, dict(iter=5, epoch=3))
    for _ in range(3):
        schedulers[0].step()
    assert states[0] | dict(_last_value=0) == \
        schedulers[0].state_dict() | dict(_last_value=0)
    assert [s['_global_step'] for s in states] == [3, 5, 3]
    found = Schedule('', new, built(6)[1]).compare(
        state, [s.state_dict() for s in old_schedulers])
    assert 'param_scheduler.0.end=6 (4 in the checkpoint)' in found


def test_several_optimizers():
    messages = []
    wrappers = OptimWrapperDict(a=wrapper(), b=wrapper(0.2))
    runner = SimpleNamespace(
        optim_wrapper=wrappers, hooks=(), _resume=True,
        param_schedulers=dict(b=[LinearLR(wrappers['b'], end=5)]),
        logger=SimpleNamespace(warning=messages.append,
                               info=messages.append))
    hook = ResumeHook()
    hook.before_run(runner)
    saved = OptimWrapperDict(a=wrapper(), b=wrapper(0.3))
    scheduler = LinearLR(saved['b'], end=7)
    hook.after_load_checkpoint(runner, dict(
        optimizer=saved.state_dict(),
        param_schedulers=dict(b=[scheduler.state_dict()])))
    text, = messages
    assert 'optim_wrapper.b.optimizer.lr=0.2 (0.3 in the' in text
    assert 'param_scheduler.b.0.end=5 (7 in the checkpoint)' in text
    assert 'optim_wrapper.a' not in text
    hook.new_schedule = True
    checkpoint = dict(optimizer=saved.state_dict(),
                      meta=dict(iter=9, epoch=2))
    hook.after_load_checkpoint(runner, checkpoint)
    assert {name: len(states) for name, states
            in checkpoint['param_schedulers'].items()} == dict(a=0, b=1)
    group, = checkpoint['optimizer']['b']['param_groups']
    assert group['initial_lr'] == 0.2
