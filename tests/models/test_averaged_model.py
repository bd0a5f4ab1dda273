"""The moving average of weights equals mmengine's bit for bit."""
import pytest
import torch
from irsde_mm.models import ExponentialMovingAverage
from irsde_mm.models.networks import ConditionalNAFNet
from mmengine.model import ExponentialMovingAverage as Original


@pytest.mark.parametrize('interval, update_buffers', [
    (1, False), (3, False), (1, True)])
def test_equals_mmengine(interval, update_buffers):
    net = ConditionalNAFNet(width=4, enc_blocks=[1], dec_blocks=[1])
    net.register_buffer('count', torch.zeros(2))
    options = dict(momentum=0.05, interval=interval,
                   update_buffers=update_buffers)
    ours, theirs = (cls(net, **options)
                    for cls in (ExponentialMovingAverage, Original))
    start = theirs.state_dict()['module.conv_in.weight'].clone()
    for _ in range(7):
        for p in net.parameters():
            p.data += 0.1 * torch.randn_like(p)
        net.count += 1
        ours.update_parameters(net)
        theirs.update_parameters(net)
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    for key, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[key], value), key
    assert not torch.equal(start,
                           ours.state_dict()['module.conv_in.weight'])
