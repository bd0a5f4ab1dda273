"""Tiling: positions, weights, cost, equal results."""
import pytest
import torch
from irsde_mm.errors import ConfigError
from irsde_mm.inference import memory, network_calls
from irsde_mm.inference.presets import build_sampler, sampler_config
from irsde_mm.inference.tiling import Tiling, tiled, windows
from irsde_mm.registry import MODELS
from mmagic.structures import DataSample
from torch import nn

CONFIG = dict(
    type='irsde_mm.IRSDERestorer',
    sde=dict(type='irsde_mm.IRSDE', max_sigma=30 / 255, num_steps=10),
    sampler=dict(type='irsde_mm.PosteriorSampler', num_steps=3),
    pixel_loss=dict(type='irsde_mm.MaximumLikelihoodLoss'),
    data_preprocessor=dict(
        type='mmagic.DataPreprocessor', mean=[0.] * 3, std=[255.] * 3,
        output_channel_order='RGB'))
NETWORKS = dict(
    nafnet=dict(type='irsde_mm.ConditionalNAFNet', width=4,
                enc_blocks=[1, 1], dec_blocks=[1, 1]),
    unet=dict(type='irsde_mm.ConditionalUNet', base_channels=4, depth=2),
    mmagics=dict(type='irsde_mm.UnetNoisePredictor', network=dict(
        type='mmagic.DenoisingUnet', image_size=32, in_channels=6,
        base_channels=8, resblocks_per_downsample=1, num_heads=1,
        norm_cfg=dict(type='GN', num_groups=4), attention_res=[],
        channels_cfg=[1, 2])))


def build(network: str = 'nafnet', **changes):
    torch.manual_seed(0)
    model = MODELS.build(dict(CONFIG, generator=NETWORKS[network], **changes))
    for p in model.generator.parameters():
        p.data += 0.05 * torch.randn_like(p)
    return model.eval()


def restore(model, image, **options):
    return model(image, mode='tensor', **options,
                 generator=torch.Generator().manual_seed(1))


def psnr(a, b) -> float:
    return float(-10 * torch.log10((a - b).square().mean()))


@pytest.mark.parametrize('length', [1, 127, 128, 129, 150, 1000, 1001, 3266])
@pytest.mark.parametrize('overlap, divisor', [(32, 16), (16, 8), (8, 1)])
def test_tiles_cover_an_axis(length, overlap, divisor):
    """Tiles have one size, start at multiples of the divisor, overlap enough,
    and their weights add up to 1."""
    side, starts = Tiling(128, overlap, divisor).axis(length)
    assert side <= 128 and starts[0] == 0 and starts[-1] + side == length
    assert all(start % divisor == 0 for start in starts)
    assert all(b - a <= side - overlap for a, b in zip(starts, starts[1:]))
    total = torch.zeros(length)
    for start, weight in zip(starts, windows(length, side, starts, overlap)):
        total[start:start + side] += weight
        assert (weight > 0).all()
    torch.testing.assert_close(total, torch.ones(length))


@pytest.mark.parametrize('length', [512, 800, 1024, 2450, 3266])
@pytest.mark.parametrize('side', [384, 512])
def test_tiles_cost_at_most_a_quarter_more(length, side):
    chosen, starts = Tiling(side, 32, 8).axis(length)
    assert (chosen * len(starts) / length)**2 <= 1.25


@pytest.mark.parametrize('batch', [1, 3, 100])
def test_pointwise_network(batch):
    x, y = torch.rand(2, 2, 3, 150, 131)
    sizes = set()

    def network(a, b):
        sizes.add(a.shape[2:])
        assert len(a) <= batch
        return 2 * a[:, :1] - b[:, :1]

    torch.testing.assert_close(
        tiled(network, (x, y), Tiling(64, 16, 8, batch)),
        (2 * x - y)[:, :1])
    assert len(sizes) == 1


def test_upscaling_network():
    x = torch.rand(1, 3, 70, 90)
    grow = nn.Upsample(scale_factor=3)
    torch.testing.assert_close(tiled(grow, (x, ), Tiling(40, 8, 4)), grow(x))


def test_local_network_with_a_stride():
    """Tiles start where its windows do. Only the padding at tile borders
    differs, where the weight of a tile is smallest."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 5, 2, padding=2), nn.SiLU(), nn.Conv2d(8, 8, 3, 1, 1),
        nn.SiLU(), nn.Conv2d(8, 12, 3, 1, 1), nn.PixelShuffle(2))
    x = torch.rand(1, 3, 200, 280)
    with torch.no_grad():
        whole, parts = network(x), tiled(network, (x, ), Tiling(96, 32, 8))
    scale = whole.max() - whole.min()
    assert psnr(parts / scale, whole / scale) > 45


@pytest.mark.parametrize('network', ['nafnet', 'unet'])
def test_restoring_in_tiles(network):
    """State and noise are shared, so only the receptive field of the network
    makes a difference."""
    image = torch.rand(2, 3, 100, 141)
    whole = build(network, test_cfg=dict(tile='off'))
    cut = build(network, test_cfg=dict(tile=128))
    calls = []
    cut.generator.register_forward_hook(lambda m, args, _: calls.append(
        tuple(args[0].shape)))
    a, b = restore(whole, image), restore(cut, image)
    assert psnr(a, b) > 45 and not torch.equal(a, b)
    assert len(set(calls)) == 1 and max(calls[0][2:]) <= 128
    assert len(calls) == 2 * 2 * 3, 'images x tiles x steps'


def test_no_seams():
    """The gradient energy at tile borders equals that without tiles."""
    image = torch.rand(1, 3, 256, 256)
    a = restore(build(test_cfg=dict(tile='off')), image)
    model = build(test_cfg=dict(tile=128))
    b = restore(model, image)
    side, starts = model.calls.tiling(model.generator, model.generator, (
        image, image)).axis(256)
    lines = torch.tensor([*starts[1:], *(s + side for s in starts[:-1])])

    def energy(x):
        return sum((x.index_select(dim, lines)
                    - x.index_select(dim, lines - 1)).square().sum()
                   for dim in (2, 3))

    assert abs(energy(b) / energy(a) - 1) < 0.02


def test_tile_size_depends_on_free_memory(monkeypatch):
    model, image = build(), torch.rand(1, 3, 1, 1).expand(1, 3, 1100, 1000)
    images = (image, image)

    def tiling():
        return model.calls.tiling(
            model.generator, lambda x, mu: model.generator(x, mu, 1), images)

    assert tiling().side == network_calls.MAX_SIDE
    cost = memory._costs[model.generator]
    monkeypatch.setattr(memory, 'free_memory',
                        lambda device: 2 * cost * 200**2)
    assert tiling().side == 200
    small = (image[..., :900, :], )
    assert model.calls.tiling(model.generator, None, small) is None


@pytest.mark.parametrize('tile', [127, 'auto ', 1.5, 'on', None])
def test_bad_tile_settings(tile):
    with pytest.raises(ConfigError, match='tile must be'):
        build(test_cfg=dict(tile=tile))


@pytest.mark.parametrize('model', [
    dict(type='irsde_mm.TiledEditModel', generator=dict(
        type='mmagic.SRCNNNet', channels=(3, 4, 4, 3), upscale_factor=1)),
    dict(type='irsde_mm.TiledEditModel', generator=dict(
        type='irsde_mm.RegressionNetwork', network=NETWORKS['nafnet'])),
    dict(type='irsde_mm.SuperResolver', scale=2, generator=dict(
        type='mmagic.EDSRNet', in_channels=3, out_channels=3, mid_channels=4,
        num_blocks=1, upscale_factor=2))])
def test_models_without_a_process(model):
    torch.manual_seed(0)
    model = MODELS.build(dict(model, pixel_loss=dict(type='mmagic.L1Loss'),
                              test_cfg=dict(tile=256))).eval()
    calls, image = [], torch.rand(1, 3, 300, 420)
    model.generator.register_forward_hook(lambda *_: calls.append(1))
    with torch.no_grad():
        parts = model(image, mode='tensor')
        assert len(calls) > 1
        model.calls.tile = 'off'
        whole = model(image, mode='tensor')
    assert psnr(parts, whole) > 45
    calls.clear()
    model.calls.tile = 128
    model.train()(image, mode='tensor')
    assert len(calls) == 1, 'no tiles in training'


# ---------------------------------------------------------------- batches


def data(sizes, first=0):
    g = torch.Generator().manual_seed(first)
    return dict(
        inputs=[torch.randint(0, 256, (3, *size), generator=g).byte()
                for size in sizes],
        data_samples=[DataSample(metainfo=dict(img_path=f'{first + i}.png'))
                      for i in range(len(sizes))])


@pytest.mark.parametrize('sampler', ['posterior', 'ode', 'multistep_sde'])
@pytest.mark.parametrize('network', NETWORKS)
def test_batch_of_similar_sizes(network, sampler):
    """Each image gives the same as alone: same noise, padding and
    position."""
    model = build(network)
    model.data_preprocessor.data_keys = None
    model.pipeline.sampler = build_sampler(
        sampler_config(sampler, model.sde, model.output, steps=3),
        model.sde, model.output)
    sizes = [(23, 30), (24, 29), (24, 30)]
    assert len({model.padded_size(*size) for size in sizes}) == 1
    both = data(sizes)
    images = [image.clone() for image in both['inputs']]
    ready = model.data_preprocessor(both)
    together = model(**ready, mode='tensor')
    for i, (h, w) in enumerate(sizes):
        alone = model.data_preprocessor(dict(
            inputs=[images[i]], data_samples=[DataSample(
                metainfo=dict(img_path=f'{i}.png'))]))
        torch.testing.assert_close(
            together[i, :, :h, :w], model(**alone, mode='tensor')[0],
            rtol=0, atol=1e-4)


def test_batch_with_different_start_times():
    model = build(
        sde=dict(type='irsde_mm.DenoisingSDE', max_sigma=70 / 255),
        sampler='ode', test_cfg=dict(sigma='estimate'))
    model.data_preprocessor.data_keys = None
    sizes = [(41, 46), (44, 45)]
    ready = model.data_preprocessor(dict(
        inputs=[(128 + s * torch.randn(3, *size)).clamp(0, 255).byte()
                for s, size in zip((15, 40), sizes)],
        data_samples=data(sizes)['data_samples']))
    images = ready['inputs'].clone()
    together = model(**ready, mode='tensor')
    for i, (h, w) in enumerate(sizes):
        torch.testing.assert_close(
            together[i, :, :h, :w],
            model(images[i:i + 1, :, :h, :w], mode='tensor')[0], rtol=0,
            atol=1e-4)
