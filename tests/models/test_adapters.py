"""Adapters of other networks to the data of this project."""
import warnings

import pytest
import torch
from irsde_mm.errors import DataError
from irsde_mm.models.networks import ConditionalNAFNet, RegressionNetwork
from irsde_mm.models.restorers import SuperResolver, WhiteHolePreprocessor
from irsde_mm.models.restorers.super_resolver import inverse_upsampling
from irsde_mm.registry import MODELS, TRANSFORMS
from mmagic.structures import DataSample
from mmengine.registry import DefaultScope
from mmengine.runner import load_checkpoint

NETWORK = dict(type='irsde_mm.ConditionalNAFNet', width=4, enc_blocks=[1],
               dec_blocks=[1])


@pytest.mark.parametrize('conditional', [True, False])
@pytest.mark.parametrize('channels', [1, 3])
def test_regression_network_predicts_at_time_0(conditional, channels):
    net = RegressionNetwork(dict(
        NETWORK, conditional=conditional, img_channels=channels))
    assert isinstance(net.network, ConditionalNAFNet)
    assert net.in_channels == channels
    mu = torch.rand(2, channels, 9, 7)
    torch.testing.assert_close(net(mu) - mu, net.network(mu, mu, 0))
    with pytest.raises(DataError, match='channels'):
        net(torch.rand(1, 2, 8, 8))


def test_regression_starts_with_the_weights_of_a_process(tmp_path):
    """With a warning. Its own weights load as before, without one."""
    net, process = RegressionNetwork(NETWORK), MODELS.build(NETWORK)
    torch.save(dict(state_dict={f'generator.{name}': value for name, value
                                in process.state_dict().items()}),
               tmp_path / 'process.pth')
    model = torch.nn.Module()
    model.generator = net
    with pytest.warns(UserWarning, match='train the regression before'):
        load_checkpoint(model, str(tmp_path / 'process.pth'), strict=True)
    mu = torch.rand(1, 3, 9, 7)
    torch.testing.assert_close(net(mu) - mu, process(mu, mu, 0))
    again = RegressionNetwork(NETWORK)
    with warnings.catch_warnings(action='error'):
        again.load_state_dict(net.state_dict())
    torch.testing.assert_close(again(mu), net(mu))
    del (weights := process.state_dict())['conv_in.bias']
    with pytest.raises(RuntimeError, match='network.conv_in.bias'), \
            pytest.warns(UserWarning):
        again.load_state_dict(weights)


def test_regression_learns():
    """A hundred steps remove most of a constant shift."""
    torch.manual_seed(0)
    net = RegressionNetwork(NETWORK)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    clean = torch.rand(4, 3, 8, 8)
    losses = []
    for _ in range(100):
        loss = (net(clean + 0.3) - clean).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] > 0.2 and losses[-1] < 0.1 * losses[0]


def resolver(scale: int) -> SuperResolver:
    with DefaultScope.overwrite_default_scope('mmagic'):
        return MODELS.build(dict(
            type='irsde_mm.SuperResolver', scale=scale,
            generator=dict(type='EDSRNet', in_channels=3, out_channels=3,
                           mid_channels=4, num_blocks=1,
                           upscale_factor=scale),
            pixel_loss=dict(type='L1Loss')))


@pytest.mark.parametrize('scale', [2, 3, 4])
@pytest.mark.parametrize('size', [(1, 1), (2, 5), (16, 16), (33, 20)])
def test_upsampling_is_inverted(scale, size):
    """To less than a hundredth of a gray level."""
    small = torch.randint(0, 256, (*size, 3)).numpy()
    sample = dict(img=small)
    large = TRANSFORMS.build(
        dict(type='irsde_mm.Upsample', scale=scale))(sample)['img']
    image = torch.from_numpy(large).permute(2, 0, 1)[None] / 255
    back = resolver(scale).small(image)[0].permute(1, 2, 0) * 255
    torch.testing.assert_close(back, torch.from_numpy(small).float(),
                               atol=0.01, rtol=0)


def test_super_resolver_of_any_size():
    model = resolver(4)
    image = torch.rand(2, 3, 21, 30)
    assert model.forward_tensor(image).shape == image.shape
    assert inverse_upsampling(6, 4).shape == (6, 24)


def test_white_pixels_and_padding_are_holes():
    """Other pixels keep their values."""
    processor = WhiteHolePreprocessor(
        output_channel_order='BGR', pad_size_divisor=8)
    image = torch.randint(0, 255, (3, 6, 8)).float()
    image[:, 2, 3:5] = 255
    image[0, 4, 4] = 255  # white in one channel only: not a hole
    samples = [DataSample(metainfo=dict(img_channel_order='bgr'))]
    samples[0].set_tensor_data(dict(gt_img=image))
    data = processor(dict(inputs=[image], data_samples=samples), True)
    mask = data['data_samples'].mask
    expected = torch.zeros(1, 1, 8, 8)
    expected[..., 2, 3:5] = expected[..., 6:, :] = 1
    assert torch.equal(mask, expected)
    torch.testing.assert_close(
        data['inputs'][..., :6, :], (image[None] - 127.5) / 127.5)
