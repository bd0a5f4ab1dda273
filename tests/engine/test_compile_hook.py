"""A compiled network trains like the plain one."""
import pytest
import torch
from conftest import run_tool
from irsde_mm.engine.hooks import CompileHook
from irsde_mm.errors import ConfigError
from torch import nn


class Runner:
    """The part of a Runner that the hook uses."""

    def __init__(self):
        self.model = nn.Module()
        self.model.generator = nn.Sequential(nn.Linear(3, 4), nn.Tanh())


def test_unknown_network():
    with pytest.raises(ConfigError, match="no network 'refiner'"):
        CompileHook(network='refiner').before_train(Runner())


@pytest.mark.slow
def test_compiled_only_in_training():
    runner, hook = Runner(), CompileHook()
    network = runner.model.generator
    names, x = list(network.state_dict()), torch.rand(2, 3)
    expected = network(x)
    hook.before_train(runner)
    torch._dynamo.utils.counters.clear()
    torch.testing.assert_close(network(x), expected)
    frames = torch._dynamo.utils.counters['frames']
    assert frames['ok'] == 1
    hook.before_val(runner)
    network(torch.rand(2, 3, 3, 3))  # would be compiled again
    assert frames['ok'] == 1
    hook.after_val(runner)
    network(torch.rand(2, 3))
    assert frames['ok'] == 1
    assert list(network.state_dict()) == names
    hook.after_train(runner)
    assert network._compiled_call_impl is None


@pytest.mark.slow
def test_same_training_as_without(tmp_path):
    options = ['model.generator.width=4', 'model.generator.enc_blocks=[1]',
               'model.generator.dec_blocks=[1]', 'train_cfg.max_iters=3',
               'train_dataloader.batch_size=2', 'train_cfg.val_begin=9',
               'default_hooks.checkpoint.interval=3']
    weights = []
    for name, more in (('plain', []), ('compiled', [
            'default_hooks.compile.type=irsde_mm.CompileHook'])):
        assert run_tool('train', 'quickstart/derain', '--work-dir',
                        tmp_path / name, '--cfg-options', *options,
                        *more) == 0
        weights.append(torch.load(tmp_path / name / 'iter_3.pth',
                                  weights_only=False)['state_dict'])
    assert weights[0].keys() == weights[1].keys()
    for key, value in weights[0].items():
        torch.testing.assert_close(weights[1][key], value, atol=1e-4,
                                   rtol=1e-3)
