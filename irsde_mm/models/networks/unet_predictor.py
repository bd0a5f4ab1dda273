"""mmagic's diffusion U-Net in the place of our own networks."""
from typing import Union

from torch import Tensor

from ...networks import ProcessNetwork
from ...registry import MODELS


@MODELS.register_module()
class UnetNoisePredictor(ProcessNetwork):
    """mmagic's ``DenoisingUnet`` as a network of a process.

    Any height and width: images are padded to what the levels need and the
    output is cropped back. Of an output with variances the means are taken.

    Args:
        network (dict): ``mmagic.DenoisingUnet``, whose ``in_channels`` are
            those of state and condition together: 6 for colour images.
        conditional (bool): Whether the degraded image is an input.

    Raises:
        ValueError: If the network cannot take two images.
    """

    pad_mode = 'reflect'

    def __init__(self, network: dict, conditional: bool = True) -> None:
        super().__init__()
        self.network = MODELS.build(network)
        channels = self.network.in_channels
        if conditional and channels % 2:
            raise ValueError('a conditional network sees two images: its '
                             f'in_channels must be even, not {channels}.')
        self.in_channels = channels // 2 if conditional else channels
        self.conditional = conditional
        self.divisor = 2**(len(self.network.channel_factor_list) - 1)

    def embed_time(self, t: Union[int, float, Tensor], x: Tensor) -> Tensor:
        """The times (B,): the network embeds them itself."""
        if not isinstance(t, Tensor):
            t = x.new_full((1, ), t)
        return t.to(x).reshape(-1)

    def features(self, x: Tensor, time: Tensor) -> Tensor:
        return self.network(x, time)['sample'][:, :self.in_channels]

    def with_times(self, times) -> 'UnetNoisePredictor':
        return self
