"""GuardHook with injected bad batches, gradients and weights."""
import math

import pytest
import torch
from conftest import forget_runs
from irsde_mm.config import complete_config
from irsde_mm.engine import ExactTrainLoop, GuardHook
from irsde_mm.errors import TrainingError
from irsde_mm.registry import HOOKS, MODELS
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.registry import DATASETS
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import Dataset


@MODELS.register_module()
class Line(BaseModel):
    """y = w x + b, to be fitted."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, 1)
        nn.init.zeros_(self.layer.weight)
        nn.init.zeros_(self.layer.bias)

    def forward(self, x, y, mode):
        x, y = (torch.stack(list(v)) for v in (x, y))
        return dict(loss=(self.layer(x) - y).square().mean())


@DATASETS.register_module()
class Points(Dataset):

    def __len__(self):
        return 16

    def __getitem__(self, index):
        x = torch.rand(1)
        return dict(x=x, y=3 * x + 1)


@HOOKS.register_module()
class Harm(Hook):
    """Hook that corrupts the iterations with the given numbers."""

    def __init__(self, at, how):
        self.at, self.how = at, how
        self.weights = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.weights.append(state(runner))
        if batch_idx not in self.at:
            return
        layer = runner.model.layer
        if self.how == 'gradient':
            handle = layer.weight.register_hook(lambda g: g * math.inf)
            self.handle = handle
        elif self.how == 'weights':
            layer.weight.data.fill_(1e6)
            self.at = ()  # once
        else:
            data_batch['y'] = [y * self.how for y in data_batch['y']]

    def after_train_iter(self, runner, batch_idx, data_batch=None,
                         outputs=None):
        if hasattr(self, 'handle'):
            self.handle.remove()


def state(runner) -> list:
    """Return weights and moments."""
    moments = runner.optim_wrapper.optimizer.state_dict()['state']
    return [v.clone() for v in runner.model.state_dict().values()] + [
        v.clone() for of in moments.values() for v in of.values()]


def same(one, other) -> bool:
    return len(one) == len(other) and all(map(torch.equal, one, other))


def runner_of(folder, at, how, iterations=30, loop='irsde_mm.ExactTrainLoop',
              wrapper=None, **guard) -> Runner:
    forget_runs()
    cfg = Config(dict(
        model=dict(type='irsde_mm.Line'), work_dir=str(folder),
        default_scope='mmengine', experiment_name=folder.name,
        train_dataloader=dict(
            batch_size=4, num_workers=0, dataset=dict(type='Points'),
            sampler=dict(type='InfiniteSampler', shuffle=True)),
        train_cfg=dict(type=loop, max_iters=iterations),
        optim_wrapper=dict(optimizer=dict(type='Adam', lr=0.01),
                           **(wrapper or {})),
        randomness=dict(seed=0),
        default_hooks=dict(
            guard=dict(type='irsde_mm.GuardHook', **{
                **dict(window=5), **guard}),
            checkpoint=dict(type='CheckpointHook', interval=5, by_epoch=False,
                            max_keep_ckpts=3)),
        custom_hooks=[dict(type='irsde_mm.Harm', at=at, how=how)]))
    complete_config(cfg)
    if loop == 'IterBasedTrainLoop':
        cfg.train_cfg.type = loop
    return Runner.from_cfg(cfg)


def hook(runner, kind):
    return next(h for h in runner.hooks if isinstance(h, kind))


@pytest.mark.parametrize('how', [math.nan, math.inf, 1e4, 'gradient'])
@pytest.mark.parametrize('wrapper', [
    {}, dict(clip_grad=dict(max_norm=1.)), dict(accumulative_counts=2)],
    ids=str)
def test_bad_batches_leave_no_trace(tmp_path, how, wrapper):
    if how == 1e4 and 'clip_grad' in wrapper:
        wrapper = dict(clip_grad=dict(max_norm=1e9))
    runner = runner_of(tmp_path, [13, 21], how, wrapper=wrapper)
    runner.train()
    seen = hook(runner, Harm).weights + [state(runner)]
    step = wrapper.get('accumulative_counts', 1)
    for i in range(0, 30, step):  # a step may take several batches
        bad = any(n in range(i, i + step) for n in (13, 21))
        assert same(seen[i], seen[i + step]) == bad
    assert hook(runner, GuardHook).skipped == 2
    log = next(tmp_path.glob('2*/*.log')).read_text()
    assert 'iteration 14: bad batch skipped' in log
    assert all(v.isfinite().all() for v in state(runner))


def test_good_training_is_not_changed(tmp_path):
    runner_of(tmp_path / 'guarded', [], 1.).train()
    runner = runner_of(tmp_path / 'free', [], 1., factor=1e30, window=10**6)
    runner.train()
    one, other = (torch.load(tmp_path / name / 'iter_30.pth',
                             weights_only=True)['state_dict']
                  for name in ('guarded', 'free'))
    assert all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize('offset', [-10., -1e3])
def test_losses_may_be_negative(tmp_path, monkeypatch, offset):
    """Such as mmagic's PSNRLoss, a logarithm; only outliers are bad."""
    forward = Line.forward
    monkeypatch.setattr(Line, 'forward', lambda *args, **kwargs: dict(
        loss=forward(*args, **kwargs)['loss'] + offset))
    runner = runner_of(tmp_path, [13], 1e4)
    runner.train()
    assert hook(runner, GuardHook).skipped == 1


def test_return_to_the_last_good_checkpoint(tmp_path):
    """Weights corrupted in iteration 18 make every later batch bad."""
    runner = runner_of(tmp_path, [17], 'weights', patience=4, iterations=40)
    loop = runner.build_train_loop(runner._train_loop)
    runner._train_loop = loop
    assert isinstance(loop, ExactTrainLoop)
    runner.train()
    guard = hook(runner, GuardHook)
    # the checkpoint of iteration 20 has bad weights and is skipped
    assert guard.tried == [str(tmp_path / 'iter_15.pth')]
    assert guard.returns == 1 and loop.stream == 1 and loop.iter == 40
    weights = hook(runner, Harm).weights
    saved = torch.load(tmp_path / 'iter_40.pth', weights_only=True)
    assert saved['irsde_mm_guard']['returns'] == 1
    assert len(weights) == 21 + 25  # iterations begun
    # iteration 16 is repeated from the same weights with other data
    assert same(weights[15], weights[21])
    assert not same(weights[16], weights[22])
    log = next(tmp_path.glob('2*/*.log')).read_text()
    assert '4 bad batches in a row at iteration 21: returning to' in log


@pytest.mark.parametrize('options, message', [
    (dict(max_returns=1), 'after 1 returns'),
    (dict(max_returns=0), 'after 0 returns'),
    (dict(iterations=4), 'no earlier checkpoint'),
    (dict(loop='IterBasedTrainLoop'), 'no earlier checkpoint')], ids=str)
def test_training_stops(tmp_path, options, message):
    runner = runner_of(
        tmp_path, range(1 if 'iterations' in options else 9, 100), math.nan,
        patience=3, **options)
    with pytest.raises(TrainingError, match=message):
        runner.train()


def test_resume_the_range(tmp_path):
    runner_of(tmp_path, [13], 1e4, iterations=15).train()
    whole = runner_of(tmp_path / 'whole', [13], 1e4)
    whole.train()
    runner = runner_of(tmp_path, [13], 1e4)
    runner._resume, runner._load_from = True, str(tmp_path / 'iter_15.pth')
    runner.train()
    one, other = hook(runner, GuardHook), hook(whole, GuardHook)
    assert one.ranges == other.ranges and one.skipped == other.skipped == 1
    assert same(state(runner), state(whole))


@pytest.mark.parametrize('wrong', [
    dict(factor=1.), dict(window=0), dict(patience=0), dict(max_returns=-1)])
def test_limits_out_of_range(wrong):
    with pytest.raises(ValueError, match='GuardHook needs'):
        GuardHook(**wrong)
