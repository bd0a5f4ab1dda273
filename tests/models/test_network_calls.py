"""Optimized network calls give the results of the networks."""
import copy

import pytest
import torch
from irsde_mm.errors import ConfigError
from irsde_mm.inference.network_calls import NetworkCalls
from irsde_mm.networks import ProcessNetwork
from irsde_mm.registry import MODELS
from test_restorer import batch, build

NAFNET = dict(type='irsde_mm.ConditionalNAFNet', enc_blocks=[1, 1],
              dec_blocks=[1, 1])
UNET = dict(type='irsde_mm.ConditionalUNet', base_channels=8, depth=2)
NETWORKS = dict(
    nafnet=dict(NAFNET, width=8),
    wide=dict(NAFNET, width=40),  # beyond folding.NARROW
    unconditional=dict(NAFNET, width=8, conditional=False),
    pooled=dict(NAFNET, width=8, local_pooling=8),
    patches=dict(NAFNET, width=8, patch_size=4, pad_mode='reflect'),
    averaged=dict(NAFNET, width=8, self_ensemble=8),
    unet=UNET, averaged_unet=dict(UNET, self_ensemble=4),
    unconditional_unet=dict(UNET, conditional=False),
    predictor=dict(type='irsde_mm.UnetNoisePredictor', network=dict(
        type='mmagic.DenoisingUnet', image_size=16, in_channels=6,
        out_channels=3, base_channels=32, channels_cfg=[1, 2],
        resblocks_per_downsample=1, attention_res=[], num_heads=1)),
    regression=dict(type='irsde_mm.RegressionNetwork',
                    network=dict(NAFNET, width=8)))
#: Compiles in seconds.
TINY = dict(type='irsde_mm.ConditionalNAFNet', width=8, enc_blocks=[1],
            middle_blocks=0, dec_blocks=[1])


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Use folded weights at any image size, so that small images do."""
    monkeypatch.setattr('irsde_mm.inference.network_calls.MIN_FOLD_PIXELS',
                        0)
    return monkeypatch


def network(name):
    torch.manual_seed(0)
    config = TINY if name == 'tiny' else NETWORKS[name]
    net = MODELS.build(copy.deepcopy(config)).eval()
    for p in net.parameters():
        p.data += 0.1 * torch.randn_like(p)
    return net


@pytest.mark.grid
@pytest.mark.parametrize('t', [7, 7.25, torch.tensor([3., 41.5])], ids=str)
@pytest.mark.parametrize('size', [(2, 3, 19, 30), (1, 3, 16, 16),
                                  (1, 3, 1, 5)], ids=str)
@pytest.mark.parametrize('name', NETWORKS)
def test_results_equal_those_of_the_network(name, size, t):
    net, fast = network(name), NetworkCalls()
    if isinstance(t, torch.Tensor):
        t = t[:size[0]]
    images = torch.rand(2, *size)
    given = dict(t=t) if name != 'regression' else {}
    images = images if given else images[:1]
    before = copy.deepcopy(net.state_dict())
    with torch.no_grad():
        plain = net(*images, **given)
    with fast.session() as call:
        for _ in range(2):  # calls are independent
            y = call(net, *images, **given)
            assert (y - plain).abs().max() <= 1e-4 * max(
                1, plain.abs().max())
    assert net.state_dict().keys() == before.keys()
    for key, value in net.state_dict().items():
        assert torch.equal(value, before[key]), key


def test_only_sessions_fold():
    net, fast, seen = network('nafnet'), NetworkCalls(), []
    handle = net.encoders[0][0].register_forward_hook(
        lambda *_: seen.append(1))
    x = torch.rand(1, 3, 8, 8)
    with fast.session() as call:
        call(net, x, x, t=3)
    assert not seen
    fast.once(net, x, x, t=3)  # no session: gradients are possible
    unfolded = NetworkCalls(fold=False)
    with unfolded.session() as call:
        call(net, x, x, t=3)
    assert len(seen) == 2
    handle.remove()


def test_small_images_are_not_folded(small):
    """Folding would take longer."""
    small.undo()
    net, fast, seen = network('nafnet'), NetworkCalls(), []
    net.encoders[0][0].register_forward_hook(lambda *_: seen.append(1))
    with fast.session() as call:
        for side in (128, 192):
            x = torch.rand(1, 3, side, side)
            call(net, x, x, t=3)
    assert len(seen) == 1


@pytest.mark.parametrize('generator, side', [
    (NETWORKS['nafnet'], 8), (NETWORKS['nafnet'], 192), (UNET, 8),
    pytest.param(UNET, 192, marks=pytest.mark.slow)],
    ids=['nafnet-8', 'nafnet-192', 'unet-8', 'unet-192'])
def test_times_of_a_trajectory_are_embedded_together(generator, side, small):
    """Once for all steps and tiles, and again if weights may have changed."""
    small.undo()
    torch.manual_seed(0)
    model = build(test_cfg=dict(tile=128)).eval()
    model.generator = model.pipeline.network = MODELS.build(generator).eval()
    plain, seen = copy.deepcopy(model), []
    plain.calls.fold = False
    small.setattr(type(plain.generator), 'with_times',
                  lambda net, times: net if net is plain.generator
                  else ProcessNetwork.with_times(net, times))
    model.generator.time_mlp.register_forward_hook(
        lambda module, args, output: seen.append(len(output)))
    x = torch.rand(2, 3, side, side)
    sampler = model.val_sampler
    for i in range(2):
        y = model.forward_tensor(x, sampler=sampler)
        _, times = sampler.begin(model.sde, model.sde.num_steps)
        assert seen == (i + 1) * [len(times) - 1] and len(times) > 2
        torch.testing.assert_close(
            y, plain.forward_tensor(x, sampler=sampler), atol=1e-4, rtol=0)
        with torch.no_grad():
            for net in (model.generator, plain.generator):
                net.time_mlp[0].bias.add_(1)


def test_times_outside_of_the_trajectory():
    net, fast = network('nafnet'), NetworkCalls()
    x = torch.rand(2, 3, 8, 8)
    with fast.session() as call:
        call.trajectory(net, [3, 2.5])
        for t in (3, 2.5, 7, torch.tensor(3.), torch.tensor([3., 8.])):
            torch.testing.assert_close(call(net, x, x, t=t),
                                       net(x, x, t=t), atol=1e-4, rtol=0)


def test_double_precision_is_kept():
    """oneDNN does not support it."""
    net = network('nafnet').double()
    x = torch.rand(1, 3, 8, 8, dtype=torch.float64)
    fast = NetworkCalls()
    with fast.session() as call:
        found = call(net, x, x, t=3.)
        torch.testing.assert_close(found, net(x, x, t=3.), atol=1e-12,
                                   rtol=1e-9)


def test_weights_may_change_between_restorations():
    """As when validation swaps in the moving average."""
    model = build().eval()
    first = model.val_step(batch())[0].output.pred_img
    with torch.no_grad():
        for p in model.generator.parameters():
            p.data.mul_(1.5)
    second = model.val_step(batch())[0].output.pred_img
    plain = build(test_cfg=dict(inference=dict(fold=False))).eval()
    plain.load_state_dict(model.state_dict())
    expected = plain.val_step(batch())[0].output.pred_img
    assert (first - second).abs().max() > 1
    torch.testing.assert_close(second, expected, atol=1e-3, rtol=0)


def test_alternating_restoration_and_training():
    model = build()
    data = model.data_preprocessor(batch(), training=True)
    model.eval().val_step(batch())
    model.train()(**data, mode='loss')['loss'].backward()
    assert all(p.grad is not None for p in model.generator.parameters())


def test_copy_of_a_model_has_its_own_calls():
    model = build()
    model.calls.compiled[model.generator] = None
    other = copy.deepcopy(model)
    assert other.calls is not model.calls and not other.calls.compiled
    assert other.pipeline.calls is other.calls


@pytest.mark.parametrize('dtype, size', [('bf16', 0.1), ('fp16', 0.02)])
def test_autocast(dtype, size):
    net, fast = network('nafnet'), NetworkCalls(autocast=dtype)
    x = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        plain = net(x, x, 3)
    with fast.session() as call:
        y = call(net, x, x, t=3)
    error = (y - plain).abs().max() / plain.abs().max()
    assert y.dtype == torch.float32 and 0 < error < size


@pytest.mark.parametrize('settings, word', [
    (dict(fold='yes'), 'fold'), (dict(compile='fast'), 'reduce-overhead'),
    (dict(autocast='fp8'), 'bf16'), (dict(compiled=True), 'compiled')])
def test_bad_settings(settings, word):
    with pytest.raises(ConfigError, match=word):
        build(test_cfg=dict(inference=settings))


def counted(monkeypatch) -> list:
    """Return the list of compiled graphs; the backend runs them as they
    are."""
    graphs, real = [], torch.compile

    def backend(graph, inputs):
        graphs.append(graph)
        return graph.forward

    monkeypatch.setattr(torch, 'compile', lambda net, mode, dynamic: real(
        net, backend=backend, dynamic=dynamic))
    torch._dynamo.reset()
    return graphs


@pytest.mark.parametrize('fold', [
    True, pytest.param(False, marks=pytest.mark.slow)])
def test_other_sizes_times_and_weights_do_not_recompile(monkeypatch, fold):
    graphs = counted(monkeypatch)
    net, fast = network('tiny'), NetworkCalls(fold=fold, compile=True)

    def call(size, t):
        x = torch.rand(1, 3, *size)
        with torch.no_grad():
            for weight in net.parameters():
                weight.mul_(1.01)
        with fast.session() as call:
            y = call(net, x, x, t=t)
        with torch.no_grad():
            torch.testing.assert_close(y, net(x, x, t), atol=1e-4, rtol=0)

    # a square, a rectangle and a padded one differ in their guards
    for size, t in (((64, 64), 3), ((64, 96), 7.5), ((67, 93), 8)):
        call(size, t)
    known = len(graphs)
    for size, t in (((96, 80), 4), ((81, 101), 9.25), ((75, 111), 1)):
        call(size, t)
    assert 1 <= known == len(graphs) <= 3


def test_falls_back_without_a_compiler(monkeypatch):
    def broken(graph, inputs):
        raise RuntimeError('no compiler')

    real = torch.compile
    monkeypatch.setattr(torch, 'compile', lambda net, mode, dynamic: real(
        net, backend=broken, dynamic=dynamic))
    torch._dynamo.reset()
    net, fast = network('tiny'), NetworkCalls(compile=True)
    x = torch.rand(1, 3, 8, 8)
    with fast.session() as call, \
            pytest.warns(UserWarning, match='not compiled'):
        y = call(net, x, x, t=3)
    torch.testing.assert_close(y, net(x, x, 3), atol=1e-4, rtol=0)
