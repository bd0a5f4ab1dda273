"""Networks of a latent process: golden outputs, sizes, conversion."""
import pytest
import torch
import torch.nn.functional as F
from conftest import GOLDEN
from irsde_mm.apis import convert_state_dict
from irsde_mm.errors import DataError
from irsde_mm.networks import ConditionalNAFNet, LatentUNet
from irsde_mm.networks.folding import fold
from irsde_mm.registry import MODELS

SMALL = dict(base_channels=4, channel_factors=[1, 2, 2], latent_channels=3)


def official(name) -> dict:
    return torch.load(GOLDEN / f'{name}_official.pth', weights_only=True)


def published(name, arch, **options) -> torch.nn.Module:
    state_dict, config = convert_state_dict(official(name), arch)
    network = MODELS.build(dict(config, **options))
    network.load_state_dict(state_dict)
    return network.requires_grad_(False)


def close(ours, golden) -> None:
    """Within 1e-5 of the largest value."""
    assert ours.shape == golden.shape
    assert (ours - golden).abs().max() < 1e-5 * golden.abs().max()


@pytest.fixture(scope='module')
def autoencoder() -> LatentUNet:
    return published('latent_unet_ch8', 'latent_unet')


def test_published_autoencoder(golden, autoencoder):
    """Latents, features and all four decodings."""
    g = golden('latent_unet_ch8')
    z_lq, h_lq = autoencoder.encode(g['lq'])
    z_gt, h_gt = autoencoder.encode(g['gt'])
    close(z_lq, g['latent_lq'])
    close(z_gt, g['latent_gt'])
    assert len(h_lq.maps) == g['n_hidden']
    for i, features in enumerate(h_lq.maps):
        close(features, g[f'hidden_lq_{i}'])
    for latent, hidden, name in (
            (z_lq, h_lq, 'rec_lq'), (z_gt, h_lq, 'rec_gt_hidden_lq'),
            (z_gt, h_gt, 'rec_gt'), (z_lq, h_gt, 'rec_lq_hidden_gt')):
        close(autoencoder.decode(latent, hidden), g[name])
    close(autoencoder(g['lq']), g['rec_lq'])


@pytest.mark.parametrize('local', [False, True])
def test_published_network_for_latents(golden, local):
    """The pixel network has the same weights and another output."""
    g = golden('latent_nafnet_w8')
    window = int(g['local_base_size'][0]) if local else None
    network = published('latent_nafnet_w8', 'latent_nafnet',
                        local_pooling=window)
    assert network.long_skip
    y = network(g['x'], g['cond'], g['t'])
    close(y, g['y_local' if local else 'y'])
    images = published('latent_nafnet_w8', 'nafnet', local_pooling=window)
    assert (images(g['x'], g['cond'], g['t']) - y).abs().max() > 0.1
    t = int(g['t'][0])
    torch.testing.assert_close(
        fold(network)(g['x'][:1], g['cond'][:1], t), y[:1])


def test_conversion_infers_the_sizes():
    _, config = convert_state_dict(official('latent_unet_ch8'), 'latent_unet')
    assert config == dict(
        type='irsde_mm.LatentUNet', in_channels=3, base_channels=8,
        channel_factors=[1, 2, 2], latent_channels=4)
    weights = official('latent_nafnet_w8')
    _, config = convert_state_dict(weights, 'latent_nafnet')
    assert config['in_channels'] == 4 and config.pop('long_skip') is True
    assert config == convert_state_dict(weights, 'nafnet')[1]


def test_conversion_refuses_the_other_checkpoint():
    with pytest.raises(ValueError, match="'time_mlp.*latent_unet"):
        convert_state_dict(official('latent_nafnet_w8'), 'latent_unet')
    with pytest.raises(ValueError, match="'init_conv.*latent_nafnet"):
        convert_state_dict(official('latent_unet_ch8'), 'latent_nafnet')


def test_published_size():
    """The autoencoder for dehazing, 8 channels at an eighth of the size."""
    with torch.device('meta'):
        network = LatentUNet()
    assert network.scale == 8 and network.divisor == 16
    assert convert_state_dict(  # the sizes that weights of this size give
        {published_name(key): value for key, value
         in network.state_dict().items()}, 'latent_unet')[1] == dict(
             type='irsde_mm.LatentUNet', in_channels=3, base_channels=8,
             channel_factors=[4, 8, 8, 16], latent_channels=8)


def published_name(key: str) -> str:
    for ours, theirs in (
            ('conv_in.', 'init_conv.'), ('conv_out.', 'final_conv.'),
            ('to_latent.', 'latent_conv.'),
            ('from_latent.', 'post_latent_conv.'), ('block1.', '0.'),
            ('block2.', '1.'), ('attn.', '2.'), ('resample.', '3.')):
        key = key.replace(ours, theirs)
    return key


@pytest.mark.parametrize('size', [(1, 1), (3, 40), (16, 16), (17, 30)])
def test_any_size(size):
    """Latents have even sides, decoded images the size of the images."""
    network, x = LatentUNet(**SMALL), torch.rand(2, 3, *size)
    latent, hidden = network.encode(x)
    assert latent.shape == (2, 3, *(2 * -(-side // 8) for side in size))
    assert latent.is_contiguous()
    other = torch.rand(2, 3, *(side + 1 for side in size))
    network.encode(other)  # the size is that of the features, not the latest
    assert network.decode(latent, hidden).shape == x.shape
    assert len(hidden.maps) == 7  # not used up


def test_padding_is_a_reflection():
    network, x = LatentUNet(**SMALL), torch.rand(1, 3, 14, 21)
    torch.testing.assert_close(
        network.encode(x)[0],
        network.encode(F.pad(x, (0, 3, 0, 2), 'reflect'))[0])


def test_every_parameter_has_a_gradient():
    network = LatentUNet(**SMALL)
    network(torch.rand(2, 3, 16, 16)).square().sum().backward()
    for name, p in network.named_parameters():
        assert p.grad is not None and p.grad.abs().sum() > 0, name


def test_bad_arguments():
    for options in (dict(channel_factors=[]), dict(latent_channels=0),
                    dict(base_channels=0)):
        with pytest.raises(ValueError, match='at least one'):
            LatentUNet(**options)
    with pytest.raises(DataError, match='3 channels'):
        LatentUNet(**SMALL).encode(torch.rand(1, 1, 8, 8))


def test_long_skip_is_a_setting_of_the_checkpoint():
    """It cannot be read off the weights."""
    from irsde_mm.models.restorers.settings import (differences,
                                                    full_settings)
    old = dict(type='irsde_mm.ConditionalNAFNet', width=8)
    new = dict(old, long_skip=True)
    assert ConditionalNAFNet(width=8, enc_blocks=[1], dec_blocks=[1]
                             ).long_skip is False
    full = [full_settings(MODELS, config) for config in (old, new)]
    assert differences(*full) == [
        'long_skip: False in the checkpoint, True in the model']


def test_settings_of_nested_networks_are_compared_like_others():
    """Arguments that do not change the weights are ignored, and missing ones
    have their defaults, in the network of a regression, too."""
    from irsde_mm.models.restorers.settings import (differences,
                                                    full_settings)
    nested = [full_settings(MODELS, dict(
        type='irsde_mm.RegressionNetwork', network=dict(
            type='irsde_mm.ConditionalNAFNet', width=8, **options)),
        compared=True) for options in (
            {}, dict(pad_mode='reflect', local_pooling=96),
            dict(long_skip=True))]
    assert differences(*nested[:2]) == []
    # padding may differ, but a checkpoint without a config needs it
    assert full_settings(MODELS, dict(
        type='irsde_mm.ConditionalNAFNet', pad_mode='reflect',
        local_pooling=96)).items() >= {('pad_mode', 'reflect')}
    assert differences(nested[0], nested[2]) == [
        'network.long_skip: False in the checkpoint, True in the model']
