"""Checkpoints: exact resuming, EMA weights, settings."""
import json
from types import SimpleNamespace

import pytest
import torch
from irsde_mm.config import complete_config, load_config
from irsde_mm.engine.hooks import LoggerHook, ProgressHook
from irsde_mm.errors import CheckpointError
from mmengine.logging import MMLogger
from mmengine.runner import Runner


def config(folder, iters, **options):
    cfg = load_config('quickstart/derain', {
        'train_cfg.max_iters': iters, 'train_cfg.val_interval': 1000,
        'model.generator.width': 4, 'default_hooks.checkpoint.interval': 4,
        'default_hooks.checkpoint.max_keep_ckpts': -1,
        'default_hooks.logger.interval': 1, **options})
    cfg.work_dir = str(folder)
    cfg.train_dataloader.batch_size = 2
    for key in ('val_cfg', 'val_dataloader', 'val_evaluator', 'test_cfg',
                'test_dataloader', 'test_evaluator'):
        cfg[key] = None
    cfg.default_hooks.checkpoint.save_best = None
    return cfg


def train(folder, iters, resume=False, **options):
    cfg = config(folder, iters, **options)
    cfg.resume = resume
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


def test_every_hook_can_be_switched_off(tmp_path):
    names = load_config('quickstart/derain').default_hooks
    cfg = config(tmp_path, 2)
    cfg.merge_from_dict({f'default_hooks.{name}': None
                         for name in (*names, 'runtime_info')})
    runner = Runner.from_cfg(cfg)
    assert [type(hook).__name__ for hook in runner.hooks] == ['EMAHook']
    runner.train()


@pytest.mark.parametrize('name', ['checkpoint', 'logger', 'param_scheduler',
                                  'runtime_info', 'settings'])
def test_hooks_work_without_each_other(tmp_path, name):
    cfg = config(tmp_path, 1)
    complete_config(cfg)
    cfg.default_hooks[name] = None
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert runner.iter == 1
    assert bool(list(tmp_path.glob('*.pth'))) == (name != 'checkpoint')


def load(folder, iters):
    """Load a checkpoint with the safe unpickler."""
    return torch.load(folder / f'iter_{iters}.pth', weights_only=True)


def test_resumed_training_continues(tmp_path):
    train(tmp_path, 4)
    first = load(tmp_path, 4)
    runner = train(tmp_path, 8, resume=True)
    second = load(tmp_path, 8)
    assert runner.iter == 8 and second['meta']['iter'] == 8
    steps = {int(s['step']) for s in
             second['optimizer']['state'].values()}
    assert steps == {8}, 'the optimizer was resumed'
    assert first['param_schedulers'][0]['last_step'] == 4  # the warm-up
    assert second['param_schedulers'][0]['last_step'] == 8
    assert int(first['ema_state_dict']['steps']) == 4
    assert int(second['ema_state_dict']['steps']) == 8
    losses = runner.message_hub.get_scalar('train/loss').data[0]
    assert len(losses) == 8, 'the log history was resumed'


def test_resume_restores_weights_and_average(tmp_path):
    train(tmp_path, 4)
    saved = load(tmp_path, 4)
    runner = train(tmp_path, 4, resume=True)  # nothing left to do
    key = 'generator.conv_in.weight'
    # files hold the average under state_dict and the raw weights with EMA
    assert not torch.equal(saved['state_dict'][key],
                           saved['ema_state_dict'][f'module.{key}'])
    assert torch.equal(runner.model.state_dict()[key],
                       saved['ema_state_dict'][f'module.{key}'])
    ema = next(h for h in runner.hooks if type(h).__name__ == 'EMAHook')
    assert torch.equal(ema.ema_model.module.state_dict()[key],
                       saved['state_dict'][key])


def test_settings_are_saved_and_compared(tmp_path):
    train(tmp_path, 4)
    saved = load(tmp_path, 4)['meta']['irsde_mm']
    assert saved['sde']['max_sigma'] == pytest.approx(50 / 255)
    assert saved['objective'] == 'output' and saved['timesteps'] == 'late'
    with pytest.raises(CheckpointError, match=r'50/255.*10/255'):
        train(tmp_path, 8, resume=True, **{'model.sde.max_sigma': 10 / 255})
    with pytest.raises(CheckpointError, match='width: 4 .*8'):
        train(tmp_path, 8, resume=True, **{'model.generator.width': 8})


def test_bfloat16_on_a_cpu(tmp_path):
    cfg = config(tmp_path, 2, **{
        'optim_wrapper.type': 'irsde_mm.BFloat16OptimWrapper'})
    runner, seen = Runner.from_cfg(cfg), set()
    runner.model.generator.conv_in.register_forward_hook(
        lambda module, inputs, output: seen.add(output.dtype))
    runner.train()
    assert seen == {torch.bfloat16}
    weights = runner.model.generator.conv_in.weight
    assert weights.dtype == torch.float32 and weights.isfinite().all()


def test_same_seed_same_weights(tmp_path):
    a, b = (train(tmp_path / name, 3).model.state_dict() for name in 'ab')
    assert all(torch.equal(a[key], b[key]) for key in a)


def test_one_process_writes_the_scores(tmp_path, monkeypatch):
    """Two processes that write at once corrupt the file."""
    hook = LoggerHook()
    runner = SimpleNamespace(
        log_dir=str(tmp_path), test_dataloader=[0], logger=MMLogger('here'),
        log_processor=SimpleNamespace(
            get_log_after_epoch=lambda *args, **kwargs: ({'PSNR': 1.0}, '')))
    hook.json_log_path = 'scores.json'
    monkeypatch.setattr('mmengine.dist.utils.is_main_process', lambda: False)
    hook.after_test_epoch(runner, {'PSNR': 1.0})
    assert not list(tmp_path.iterdir())
    monkeypatch.undo()
    hook.after_test_epoch(runner, {'PSNR': 1.0})
    assert json.loads((tmp_path / 'scores.json').read_text()) == {'PSNR': 1.0}


def test_progress_bar(monkeypatch):
    """It also goes back after a return to an earlier checkpoint."""
    monkeypatch.setattr('sys.stderr.isatty', lambda: True)
    hook, runner = ProgressHook(), SimpleNamespace(max_iters=10, iter=3)
    hook.before_train(runner)
    bar, = hook.bars
    for done, n in ((3, 4), (4, 5), (1, 2), (2, 3)):
        hook.after_train_iter(runner, done)
        assert bar.n == n
    hook.after_train(runner)
    assert not hook.bars


def test_accumulated_gradients(tmp_path):
    """Four iterations are two optimizer steps."""
    train(tmp_path, 4, **{'optim_wrapper.accumulative_counts': 2})
    state = load(tmp_path, 4)['optimizer']['state']
    assert {int(s['step']) for s in state.values()} == {2}


def test_accumulation_resumes_exactly(tmp_path):
    """After a whole number of optimizer steps; mmengine warns otherwise."""
    options = {'optim_wrapper.accumulative_counts': 2}
    train(tmp_path / 'whole', 8, **options)
    train(tmp_path / 'again', 4, **options)
    train(tmp_path / 'again', 8, resume=True, **options)
    whole, again = (load(tmp_path / name, 8)['state_dict']
                    for name in ('whole', 'again'))
    assert all(torch.equal(value, again[key]) for key, value in whole.items())


def test_activation_checkpointing_gives_the_same_weights(tmp_path):
    plain = train(tmp_path / 'plain', 4).model.state_dict()
    again = train(tmp_path / 'again', 4, activation_checkpointing=[
        'generator.encoders.0', 'generator.middle']).model.state_dict()
    for key, value in plain.items():
        torch.testing.assert_close(again[key], value, msg=key)
