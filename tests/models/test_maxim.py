"""MAXIM: golden values, published sizes, supervision, conversion."""
import gzip
import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from conftest import GOLDEN
from irsde_mm.apis import convert_state_dict
from irsde_mm.model_files.convert_maxim import fitted
from irsde_mm.errors import DataError
from irsde_mm.models.networks import MAXIM
from irsde_mm.networks.maxim.layers import (Conv, Resample,
                                                   SpatialMixing, Up, gelu,
                                                   norm)
from irsde_mm.registry import MODELS
from mmagic.structures import DataSample
from mmengine.registry import DefaultScope

FOLDER = GOLDEN / 'maxim'
CASES = sorted(path.stem for path in FOLDER.glob('case_*.npz'))
TINY = dict(num_stages=2, width=4, num_groups=1, num_bottlenecks=1,
            sides=(4, 2))
#: Parameters with 1 and with 3 scales.
COUNTS = {'S-1': (6_108_515, 6_139_561), 'S-2': (13_353_830, 14_176_178),
          'S-3': (20_599_145, 22_212_795)}


def load(name: str) -> dict:
    with np.load(FOLDER / f'{name}.npz') as file:
        return {key: torch.from_numpy(file[key]) for key in file
                if key != 'config_json'}


def weights_of(case: dict) -> dict:
    return {key.removeprefix('params/'): value for key, value in case.items()
            if key.startswith('params/')}


def channels_first(x: torch.Tensor) -> torch.Tensor:
    return x.permute(0, 3, 1, 2)


@pytest.mark.parametrize('name', CASES)
def test_published_weights_give_published_outputs(name):
    """All stages and scales to 5e-5; the published order is coarsest
    first."""
    case = load(name)
    state_dict, config = convert_state_dict(weights_of(case), 'maxim')
    net = MODELS.build(config)
    net.load_state_dict(state_dict)
    img = channels_first(case['input'])
    with torch.no_grad():
        stages = net(img, all_stages=True)
        assert torch.equal(net(img), stages[-1][0])
    theirs = {key for key in case if key.startswith('output/')}
    assert {f'output/stage{s}/{2 - i}' for s in range(len(stages))
            for i in range(3)} == theirs
    for s, stage in enumerate(stages):
        for i, image in enumerate(stage):
            expected = channels_first(case[f'output/stage{s}/{2 - i}'])
            torch.testing.assert_close(image, expected, atol=5e-5, rtol=0)


@pytest.mark.parametrize('name', CASES)
def test_conversion_infers_the_size_from_the_weights(name):
    with np.load(FOLDER / f'{name}.npz') as file:
        theirs = json.loads(str(file['config_json']))
    _, config = convert_state_dict(weights_of(load(name)), 'maxim')
    assert config == dict(
        type='irsde_mm.MAXIM', in_channels=theirs['num_outputs'],
        num_scales=theirs['num_supervision_scales'],
        variant=dict(
            num_stages=theirs['num_stages'], width=theirs['features'],
            num_groups=theirs['num_groups'],
            num_bottlenecks=theirs['num_bottleneck_blocks'],
            sides=(theirs['block_size_hr'][0], theirs['block_size_lr'][0])))


def manifest(name: str) -> dict:
    """Return arrays without data by path, as in a checkpoint."""
    text = gzip.decompress((FOLDER / f'manifest_{name}.tsv.gz').read_bytes())
    rows = [line.split('\t') for line in text.decode().splitlines()]
    return {path: torch.empty([int(n) for n in shape.split('x')],
                              device='meta') for path, shape in rows}


@pytest.mark.parametrize('name, tensors', [
    ('S-1', 766), ('S-2', 1760), ('S-3', 2754)])
def test_published_names_and_shapes(name, tensors):
    """The network has exactly the arrays of a published checkpoint."""
    theirs = manifest(name)
    state_dict, config = convert_state_dict(theirs, 'maxim')
    assert config['variant'] == name and config['num_scales'] == 3
    with torch.device('meta'):
        net = MAXIM(name)
    assert len(theirs) == tensors
    assert {k: v.shape for k, v in state_dict.items()} == {
        k: v.shape for k, v in net.state_dict().items()}
    assert parameters(net) == COUNTS[name][1]


def parameters(net) -> int:
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize('name', [
    'S-1', *(pytest.param(name, marks=pytest.mark.slow)
             for name in ('S-2', 'S-3'))])
def test_published_number_of_parameters_of_one_scale(name):
    with torch.device('meta'):
        net = MAXIM(name, num_scales=1)
    assert parameters(net) == COUNTS[name][0]


# ----------------------------------------------------------------- layers


@pytest.fixture(scope='module')
def primitives():
    return load('primitives')


@pytest.mark.parametrize('power, key', [
    (-2, 'bilinear_div4'), (-1, 'bilinear_div2'), (1, 'bilinear_mul2'),
    (2, 'bilinear_mul4')])
def test_bilinear_resizing(primitives, power, key):
    x = primitives['x']
    layer = Resample(5, 5, power)
    torch.testing.assert_close(layer.resize(x), primitives[key],
                               atol=1e-6, rtol=0)
    # equals a 1x1 convolution after the resizing, whatever the order
    expected = F.linear(primitives[key], layer.weight, layer.bias)
    torch.testing.assert_close(layer(x), expected, atol=1e-5, rtol=0)


def test_pyramid_takes_the_nearest_pixels(primitives):
    full, half, quarter = MAXIM(TINY).pyramid(
        channels_first(primitives['x']))
    assert torch.equal(full, primitives['x'])
    assert torch.equal(half, primitives['nearest_div2'])
    assert torch.equal(quarter, primitives['nearest_div4'])


@pytest.mark.parametrize('layer, key', [
    (Up(5, 3), 'convT'), (Conv(5, 3, 4, 2), 'down')])
def test_convolutions_with_flax_kernels(primitives, layer, key):
    layer.load_state_dict({
        name: fitted(primitives[f'{key}_{leaf}'], own, layer, key)
        for (name, own), leaf in zip(
            layer.named_parameters(), ('kernel', 'bias'))})
    with torch.no_grad():
        y = layer(primitives['x'])
    torch.testing.assert_close(y, primitives[f'{key}_out'], atol=1e-5,
                               rtol=0)


def test_norm_and_gelu(primitives):
    layer = norm(5)
    layer.load_state_dict(dict(weight=primitives['ln_scale'],
                               bias=primitives['ln_bias']))
    torch.testing.assert_close(layer(primitives['ln_in']),
                               primitives['ln_out'], atol=2e-6, rtol=0)
    torch.testing.assert_close(gelu(primitives['gelu_in']),
                               primitives['gelu_out'], atol=1e-6, rtol=0)


@pytest.mark.parametrize('number', range(3))
def test_padding_as_published(primitives, number):
    img = primitives[f'pad{number}_in'].permute(2, 0, 1)[None]
    padded = MAXIM(dict(TINY, sides=(16, 8)), in_channels=1).pad(img)
    assert torch.equal(padded[0].permute(1, 2, 0),
                       primitives[f'pad{number}_out'])


@pytest.mark.parametrize('axis', ['grid', 'block'])
def test_spatial_mixing(axis):
    """A pixel affects its own window, or its position in every window."""
    layer = SpatialMixing(4, axis)
    torch.nn.init.normal_(layer.weight)
    x = torch.rand(1, 8, 12, 2)
    moved = x.clone()
    moved[0, 5, 7, 1] += 1
    with torch.no_grad():
        changed = (layer(moved) != layer(x))[0]
    rows, columns = torch.meshgrid(torch.arange(8), torch.arange(12),
                                   indexing='ij')
    if axis == 'block':  # of 4x4 pixels
        reached = (rows // 4 == 1) & (columns // 4 == 1)
    else:  # of 4x4 windows, each of 2x3 pixels
        reached = (rows % 2 == 1) & (columns % 3 == 1)
    assert torch.equal(changed[..., 1], reached)
    assert not changed[..., 0].any()


# ----------------------------------------------------------- the network


@pytest.mark.parametrize('size', [(1, 1), (1, 5), (2, 3), (16, 16), (17, 30),
                                  (65, 40)])
@pytest.mark.parametrize('channels', [1, 3])
def test_any_size(size, channels):
    """The result equals the cropped result of the padded image."""
    net = MAXIM(TINY, in_channels=channels)
    assert net.divisor == 16
    img = torch.rand(2, channels, *size)
    even = [side + side % 2 for side in size]
    half = [-side % 16 // 2 for side in even]
    pixels = np.pad(img.numpy(), [(0, 0)] * 2 + [
        (0, side % 2) for side in size], mode='reflect')
    pixels = np.pad(pixels, [(0, 0)] * 2 + [(n, n) for n in half],
                    mode='reflect')
    with torch.no_grad():
        y = net(img)
        whole = net(torch.from_numpy(pixels))
    assert y.shape == img.shape and y.is_contiguous()
    torch.testing.assert_close(y, whole[
        ..., half[0]:half[0] + size[0], half[1]:half[1] + size[1]])


def test_published_divisor():
    with torch.device('meta'):
        assert MAXIM('S-1').divisor == 64


def test_initialization():
    """As in Flax: open gates and small weights of the MLPs."""
    net = MAXIM('S-1', num_scales=1)
    stage = net.stages[0]
    gates, mlp = stage.gates[0], stage.encoders[0].blocks[0][0]
    assert (gates.gate_x.grid.bias == 1).all()
    assert (mlp.grid.mixing.bias == 0).all()
    for weight, std in ((gates.gate_y.block.weight, 0.02),
                        (mlp.proj_in.weight, 0.02),
                        (gates.in_x.weight, 32**-0.5),
                        (stage.encoders[2].blocks[0][1].conv1.weight,
                         (128 * 9)**-0.5),
                        (stage.ups[0].weight, (64 * 4)**-0.5)):
        assert abs(weight.std() / std - 1) < 0.05


def restorer(**sizes):
    with DefaultScope.overwrite_default_scope('mmagic'):
        return MODELS.build(dict(
            type='irsde_mm.MultiStageRestorer',
            generator=dict(type='irsde_mm.MAXIM', variant=dict(TINY, **sizes)),
            pixel_loss=dict(type='L1Loss'),
            data_preprocessor=dict(
                type='DataPreprocessor', mean=[0.] * 3, std=[255.] * 3)))


def test_every_stage_and_scale_is_supervised():
    model = restorer()
    for name, p in model.named_parameters():
        if name.endswith('squeeze.bias'):  # alive ReLU, sigmoid not saturated
            torch.nn.init.constant_(p, 5)
    mu, x0 = torch.rand(2, 2, 3, 16, 32)
    losses = model.forward_train(mu, DataSample(gt_img=x0))
    assert set(losses) == {'loss_stage1', 'loss_stage2'}
    for s, stage in enumerate(model.generator(mu, all_stages=True), 1):
        expected = 0
        for image, step in zip(stage, (1, 2, 4)):
            # a triangle filter of twice the step
            target = F.interpolate(
                x0, scale_factor=1 / step, mode='bilinear', antialias=True)
            assert image.shape == target.shape
            expected += (image - target).abs().mean()
        torch.testing.assert_close(losses[f'loss_stage{s}'], expected)
    sum(losses.values()).backward()
    for name, p in model.named_parameters():
        assert p.grad is not None and p.grad.abs().sum() > 0, name


def test_supervision_of_padded_patches():
    """The clean image is padded like the degraded one."""
    model = restorer()
    mu, x0 = torch.rand(2, 1, 3, 21, 16)
    pad = model.generator.pad
    losses = model.forward_train(mu, DataSample(gt_img=x0))
    padded = model.forward_train(pad(mu), DataSample(gt_img=pad(x0)))
    assert losses == padded


def test_learns_a_constant_shift():
    model = restorer()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    clean = torch.rand(1, 3, 16, 16)
    errors = []
    for _ in range(12):
        losses = model.forward_train(clean + 0.3, DataSample(gt_img=clean))
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
        with torch.no_grad():
            restored = model.forward_tensor(clean + 0.3)
        errors.append((restored - clean).abs().mean().item())
    assert errors[-1] < 0.2 * errors[0], errors


def test_half_precision():
    net, img = MAXIM(TINY), torch.rand(1, 3, 16, 16)
    with torch.autocast('cpu', torch.bfloat16):
        y = net(img)
    y.mean().backward()
    with torch.no_grad():
        expected = net(img)
    assert (y - expected).abs().max() < 0.1 * expected.abs().max()


@pytest.mark.parametrize('arguments, message', [
    (dict(variant='S-4'), 'S-1, S-2, S-3 .*S-4'),
    (dict(variant=dict(depth=2)), 'but has depth'),
    (dict(variant=dict(width=6)), 'multiple of 4'),
    (dict(variant=dict(num_stages=0)), 'at least 1'),
    (dict(variant=dict(sides=(8, 0))), 'at least 1'),
    (dict(variant=dict(sides=(8, ))), 'two sides'),
    (dict(num_scales=4), '1 to 3')])
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        MAXIM(**arguments)


def test_other_channels():
    with pytest.raises(DataError, match='3 channels, but got 1'):
        MAXIM(TINY)(torch.rand(1, 1, 8, 8))


# ------------------------------------------------------------ conversion


def test_conversion_refuses_other_files():
    good = manifest('S-1')
    stem = 'stage_0_input_conv_1/kernel'
    for change, message in (
            ({stem: None}, f"lacks the parameter '{stem}' of MAXIM S-1"),
            ({stem: torch.zeros(3, 3, 3, 32)},
             r"'stage_0_input_conv_1/kernel' is \(3, 3, 3, 32\) in the file, "
             r'but \(3, 3, 3, 64\)'),
            ({'stage_0_input_conv_0/kernel': None}, 'lacks'),
            ({'stage_0_input_conv_0/kernel': torch.zeros(3)},
             r'stage_0_input_conv_0/kernel.*4 axes'),
            ({'Conv_0/kernel': torch.zeros(1)},
             "'Conv_0/kernel' is not a parameter of MAXIM S-1.*; 1 param"),
            ({'stage_9_more/bias': torch.zeros(1)}, "'stage_9_more/bias'")):
        bad = {key: value for key, value in {**good, **change}.items()
               if value is not None}
        with pytest.raises(ValueError, match=message):
            convert_state_dict(bad, 'maxim')
    with pytest.raises(ValueError, match='lacks'):
        convert_state_dict({}, 'maxim')
