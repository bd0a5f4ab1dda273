"""Golden outputs, sizes, channels, times, conversion of weights."""
import pytest
import torch
import torch.nn.functional as F
from conftest import GOLDEN, ROOT
from irsde_mm.apis import convert_state_dict
from irsde_mm.errors import DataError
from irsde_mm.models.networks import ConditionalNAFNet, ConditionalUNet
from irsde_mm.networks.blocks import local_mean
from irsde_mm.registry import MODELS
from mmengine.config import Config

CASES = [('unet_nf8_depth2', 'unet'), ('unet_nf8_depth3_19x13', 'unet'),
         ('denoising_unet_nf8_depth2', 'unet'), ('nafnet_w8', 'nafnet'),
         ('nafnet_w8_19x13', 'nafnet')]
SMALL = {
    'unet': lambda **k: ConditionalUNet(base_channels=8, depth=2, **k),
    'nafnet': lambda **k: ConditionalNAFNet(
        width=8, enc_blocks=[1, 1], dec_blocks=[1, 1], **k)}


@pytest.mark.parametrize('window', [5, 8, 39, 48])
def test_local_mean_uses_windows_inside_the_image(window):
    x = torch.rand(1, 4, 40, 56)
    y = local_mean(x, window)
    if window < 40:
        low, high = (window - 1) // 2, window // 2
        expected = F.pad(F.avg_pool2d(x, window, 1), [low, high] * 2,
                         'replicate')
    else:
        expected = F.pad(
            F.avg_pool2d(x, (40, window), 1),
            [(window - 1) // 2, window // 2, 0, 0], 'replicate')
    torch.testing.assert_close(y, expected)


def test_local_pooling_is_limited_to_its_window():
    """With the same weights, images within the window give the same, and
    distant pixels have no effect."""
    net, local = SMALL['nafnet'](), SMALL['nafnet'](local_pooling=48)
    for p in net.parameters():
        p.data += 0.1 * torch.randn_like(p)
    local.load_state_dict(net.state_dict())
    x = torch.rand(1, 3, 48, 48)
    torch.testing.assert_close(local(x, x, 3), net(x, x, 3))
    x = torch.rand(1, 3, 48, 200)
    other = x.clone()
    other[..., 150:] = 0
    assert torch.allclose(local(x, x, 3)[..., :8], local(other, other, 3)[
        ..., :8], atol=1e-6)
    assert not torch.allclose(net(x, x, 3)[..., :8], net(other, other, 3)[
        ..., :8], atol=1e-4)
    with pytest.raises(ValueError, match='local_pooling.*at least 4'):
        SMALL['nafnet'](local_pooling=3)


def test_patches_are_pixels_of_the_first_level():
    """With a patch size of 2 the network gets and returns the four phases of
    an image as channels."""
    torch.manual_seed(0)
    net = SMALL['nafnet'](patch_size=2, local_pooling=16)
    phases = SMALL['nafnet'](in_channels=12, local_pooling=8)
    for p in net.parameters():
        p.data += 0.1 * torch.randn_like(p)
    phases.load_state_dict(net.state_dict())
    x, mu = torch.rand(2, 2, 3, 24, 40)
    split = [torch.cat([image[..., i::2, j::2] for i in (0, 1)
                        for j in (0, 1)], 1) for image in (x, mu)]
    # channels in the order of torch.nn.PixelUnshuffle: color, row, column
    order = [c + 3 * k for c in range(3) for k in range(4)]
    out = phases(*(image[:, order] for image in split), 7)
    expected = torch.empty_like(x)
    for c in range(3):
        for k in range(4):
            expected[:, c, k // 2::2, k % 2::2] = out[:, 4 * c + k]
    torch.testing.assert_close(net(x, mu, 7), expected)
    assert net.divisor == 8
    assert net(x[..., :19, :13], mu[..., :19, :13], 7).shape[2:] == (19, 13)
    with pytest.raises(ValueError, match='local_pooling.*at least 8'):
        SMALL['nafnet'](patch_size=2, local_pooling=7)
    for size in (0, -1, 2., '4'):
        with pytest.raises(ValueError, match='patch_size must be a positive'):
            SMALL['nafnet'](patch_size=size)


def test_reflect_padding_mirrors_images_of_any_size():
    """With the same weights, an odd size gives what its mirrored image gives,
    and zeros give something else."""
    net, mirrored = SMALL['nafnet'](), SMALL['nafnet'](pad_mode='reflect')
    for p in net.parameters():
        p.data += 0.1 * torch.randn_like(p)
    mirrored.load_state_dict(net.state_dict())
    x, mu = torch.rand(2, 1, 3, 18, 13)
    padded = [F.pad(image, (0, 3, 0, 2), 'reflect') for image in (x, mu)]
    expected = net(*padded, 3)[..., :18, :13]
    torch.testing.assert_close(mirrored(x, mu, 3), expected)
    assert not torch.allclose(net(x, mu, 3), expected, atol=1e-3)
    with pytest.raises(ValueError, match="pad_mode must be 'constant' or"):
        SMALL['nafnet'](pad_mode='zeros')


@pytest.mark.parametrize('name', SMALL)
def test_self_ensemble_averages_flipped_copies(name):
    """In evaluation. The mean of all eight follows a flip of the image."""
    torch.manual_seed(0)
    plain = SMALL[name]()
    for p in plain.parameters():
        p.data += 0.1 * torch.randn_like(p)
    x, mu = torch.rand(2, 2, 3, 8, 12)
    flips = [[], [3], [2], [2, 3]]
    copies = [plain(x.flip(d), mu.flip(d), 3).flip(d) for d in flips]
    copies += [
        plain(x.flip(d).mT, mu.flip(d).mT, 3).mT.flip(d) for d in flips]
    for n in (1, 2, 4, 8):
        net = SMALL[name](self_ensemble=n)
        net.load_state_dict(plain.state_dict())
        torch.testing.assert_close(net.train()(x, mu, 3), copies[0])
        mean = torch.stack(copies[:n]).mean(0)
        torch.testing.assert_close(net.eval()(x, mu, 3), mean)
        assert n == 1 or not torch.allclose(mean, copies[0], atol=1e-3)
    for d in flips:
        torch.testing.assert_close(net(x.flip(d), mu.flip(d), 3).flip(d), mean)
    torch.testing.assert_close(net(x.mT, mu.mT, 3).mT, mean)
    for n in (0, 3, 16, 2.5, True):
        with pytest.raises(ValueError, match='one of 1, 2, 4, 8'):
            SMALL[name](self_ensemble=n)


def test_configs_mirror_the_sides_of_nafnet():
    """Zeros at the right and bottom sides spread as a dark band. Only
    published weights need them."""
    modes = {}
    for path in sorted((ROOT / 'configs/_base_/models').glob('*.py')):
        for net in networks_in(Config.fromfile(path).model.to_dict()):
            modes[path.stem] = net.get('pad_mode', 'constant')
    zeros = {name for name, mode in modes.items() if mode != 'reflect'}
    assert zeros == {'refusion_nafnet', 'refusion_latent'}
    assert len(modes) > 4


def networks_in(value):
    if isinstance(value, dict):
        if value.get('type') == 'irsde_mm.ConditionalNAFNet':
            yield value
        value = list(value.values())
    for item in value if isinstance(value, list) else ():
        yield from networks_in(item)


def official(name):
    return torch.load(GOLDEN / f'{name}_official.pth', weights_only=True)


@pytest.mark.parametrize('name, arch', CASES)
def test_published_weights_give_published_outputs(golden, name, arch):
    g = golden(name)
    state_dict, config = convert_state_dict(official(name), arch)
    net = MODELS.build(config)
    net.load_state_dict(state_dict)
    with torch.no_grad():
        y = net(g['x'], g['cond'], g['t'])
    assert (y - g['y']).abs().max() < 1e-5 * g['y'].abs().max()


def test_conversion_infers_the_size_from_the_weights():
    _, config = convert_state_dict(official('unet_nf8_depth3_19x13'))
    assert config == dict(
        type='irsde_mm.ConditionalUNet', in_channels=3, out_channels=3,
        base_channels=8, depth=3, conditional=True)
    _, config = convert_state_dict(official('nafnet_w8_19x13'), 'nafnet')
    assert config['enc_blocks'] == [1, 1, 1] and config['width'] == 8
    _, config = convert_state_dict(official('denoising_unet_nf8_depth2'))
    assert config['conditional'] is False and config['in_channels'] == 3


def test_conversion_refuses_other_files():
    with pytest.raises(ValueError, match="'intro.weight' is not a parameter"):
        convert_state_dict(dict([*official('nafnet_w8').items()][4:]), 'unet')
    with pytest.raises(ValueError, match='unknown arch'):
        convert_state_dict({}, 'vit')
    with pytest.raises(ValueError, match='lacks'):
        convert_state_dict({}, 'unet')


def test_default_sizes():
    """137.15 M and 76.6 M parameters."""
    with torch.device('meta'):
        unet = sum(p.numel() for p in ConditionalUNet().parameters())
        naf = sum(p.numel() for p in ConditionalNAFNet().parameters())
    assert round(unet / 1e6, 2) == 137.15 and round(naf / 1e6, 1) == 76.6


@pytest.mark.parametrize('arch', SMALL)
@pytest.mark.parametrize('size', [(1, 1), (1, 5), (2, 3), (16, 16), (17, 30)])
def test_any_size(arch, size):
    x = torch.rand(1, 3, *size)
    assert SMALL[arch]()(x, x, 3).shape == x.shape


@pytest.mark.parametrize('arch', SMALL)
@pytest.mark.parametrize('channels', [1, 4])
@pytest.mark.parametrize('conditional', [True, False])
def test_channels_and_condition(arch, channels, conditional):
    key = 'in_channels' if arch == 'unet' else 'img_channels'
    kwargs = {key: channels, 'conditional': conditional}
    if arch == 'unet':
        kwargs['out_channels'] = channels
    net, x = SMALL[arch](**kwargs), torch.rand(2, channels, 8, 8)
    mu = torch.rand_like(x)
    with torch.no_grad():
        y = net(x, mu, 3)
        assert y.shape == x.shape
        if conditional:
            assert not torch.equal(y, net(x, 1 - mu, 3))
            with pytest.raises(DataError, match='conditional'):
                net(x, None, 3)
            with pytest.raises(ValueError, match='same shape'):
                net(x, mu[..., 1:], 3)
        else:
            assert torch.equal(y, net(x, None, 3))
    with pytest.raises(DataError, match=f'{channels} channels'):
        net(torch.rand(2, 2, 8, 8), torch.rand(2, 2, 8, 8), 3)


def perturbed(net):
    """Perturb the weights: beta and gamma start at zero, which disables the
    blocks."""
    for p in net.parameters():
        p.data += 0.02 * torch.randn_like(p)
    return net


@pytest.mark.parametrize('arch', SMALL)
def test_times(arch):
    net, x = perturbed(SMALL[arch]()), torch.rand(2, 3, 8, 8)
    with torch.no_grad():
        number = net(x, x, 5)
        for t in (5.0, torch.tensor(5), torch.tensor([5, 5]),
                  torch.tensor([5., 5.])):
            torch.testing.assert_close(net(x, x, t), number)
        between = net(x, x, 5.5)
        assert not torch.equal(between, number)
        torch.testing.assert_close(
            net(x, x, torch.tensor([5, 5.5]))[1:], between[1:])


@pytest.mark.parametrize('arch', SMALL)
def test_every_parameter_has_a_gradient(arch):
    net = perturbed(SMALL[arch]())
    x = torch.rand(2, 3, 8, 8)
    net(x, x / 2, torch.tensor([3, 70])).square().sum().backward()
    for name, p in net.named_parameters():
        assert p.grad is not None and p.grad.abs().sum() > 0, name


def test_bad_arguments():
    with pytest.raises(ValueError, match='even'):
        ConditionalUNet(base_channels=7)
    with pytest.raises(ValueError, match='depth'):
        ConditionalUNet(depth=0)
    with pytest.raises(ValueError, match='dec_blocks'):
        ConditionalNAFNet(enc_blocks=[1], dec_blocks=[1, 1])


def test_nafnet_with_new_blocks_computes_the_same():
    sizes = dict(enc_blocks=[1, 2], middle_blocks=1, dec_blocks=[1, 1])
    small = ConditionalNAFNet(width=4, **sizes).eval()
    with torch.no_grad():
        for parameter in small.parameters():
            parameter.uniform_(-0.5, 0.5)
    large = ConditionalNAFNet(width=4, enc_blocks=[2, 2], middle_blocks=3,
                              dec_blocks=[1, 2]).eval()
    missing, unexpected = large.load_state_dict(
        small.state_dict(), strict=False)
    assert sorted(missing) == sorted(large.blocks_beyond(**sizes))
    assert not unexpected
    x, mu = torch.rand(2, 1, 3, 16, 16)
    with torch.no_grad():
        assert torch.equal(large(x, mu, 5), small(x, mu, 5))
