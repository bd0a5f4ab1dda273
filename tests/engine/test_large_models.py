"""Gradients with accumulation and activation checkpointing."""
import copy

import pytest
import torch
from benchmarks.training_memory import blocks, estimate
from irsde_mm.networks import ConditionalNAFNet, ConditionalUNet
from mmengine.optim import OptimWrapper
from mmengine.runner.activation_checkpointing import \
    turn_on_activation_checkpointing
from torch import nn


def networks():
    torch.manual_seed(0)
    yield ConditionalUNet(base_channels=8, depth=2)
    yield ConditionalNAFNet(width=4, enc_blocks=[1], middle_blocks=1,
                            dec_blocks=[1])


NETWORKS = [copy.deepcopy(network).double() for network in networks()]


def batch(size=4):
    g = torch.Generator().manual_seed(1)
    return (*torch.rand(2, size, 3, 16, 16, generator=g, dtype=torch.float64),
            torch.arange(1, size + 1))


def loss(network, xt, mu, t):
    return network(xt, mu, t).square().mean()


def gradients(network):
    return {name: p.grad.clone() for name, p in network.named_parameters()
            if p.grad is not None}


def equal(one, other):
    assert one.keys() == other.keys() and one
    for name, value in one.items():
        torch.testing.assert_close(other[name], value, msg=name)


@pytest.mark.parametrize('network', NETWORKS,
                         ids=lambda n: type(n).__name__)
def test_recomputed_activations(network):
    plain, again = copy.deepcopy(network), copy.deepcopy(network)
    names = blocks(again, 'generator')
    assert len(names) > 2
    turn_on_activation_checkpointing(
        nn.ModuleDict(dict(generator=again)), names)
    saved = {}
    for key, part in dict(plain=plain, again=again).items():
        saved[key] = 0

        def count(value, key=key):
            saved[key] += value.numel()
            return value

        with torch.autograd.graph.saved_tensors_hooks(count, lambda x: x):
            value = loss(part, *batch())
        value.backward()
    equal(gradients(plain), gradients(again))
    assert saved['again'] < saved['plain'] / 2


@pytest.mark.parametrize('network', NETWORKS,
                         ids=lambda n: type(n).__name__)
def test_accumulated_batches_are_one_batch(network):
    whole, parts = copy.deepcopy(network), copy.deepcopy(network)
    loss(whole, *batch()).backward()
    wrapper = OptimWrapper(torch.optim.SGD(parts.parameters(), lr=0.),
                           accumulative_counts=2)
    wrapper.initialize_count_status(parts, 0, 2)
    steps = []
    wrapper.optimizer.register_step_pre_hook(
        lambda *_: steps.append(gradients(parts)))
    for half in zip(*(part.chunk(2) for part in batch())):
        wrapper.update_params(loss(parts, *half))
    assert len(steps) == 1
    equal(gradients(whole), steps[0])


def test_line_through_the_measured_peaks():
    found = [dict(more_mb=20., weights_mb=4.), dict(more_mb=26.,
                                                    weights_mb=4.)]
    row = estimate(found, 16)
    assert row['per_image_mb'] == 6 and row['fixed_mb'] == 18
    assert row['total_mb'] == 18 + 16 * 6
