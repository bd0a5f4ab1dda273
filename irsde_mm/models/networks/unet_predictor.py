"""Adapter for mmagic's diffusion U-Net."""
from typing import Union

from torch import Tensor

from ...networks import ProcessNetwork
from ...networks.self_ensemble import check_copies
from ...registry import MODELS


@MODELS.register_module()
class UnetNoisePredictor(ProcessNetwork):
    """Adapter that uses mmagic's ``DenoisingUnet`` as a process network.

    Supports any height and width: images are padded as the levels require and
    the output is cropped back. If the output contains variances, only the
    means are used.

    Args:
        network (dict): Config of ``mmagic.DenoisingUnet``. Its ``in_channels``
            include state and condition: 6 for color images.
        conditional (bool): Whether the degraded image is an input.
        self_ensemble (int): See :class:`irsde_mm.ConditionalNAFNet`.

    Raises:
        ValueError: If the network does not accept two images, or the number
            of copies is unknown.
    """

    #: Stored in checkpoints, which can be used with other values.
    inference_args = ('self_ensemble', )
    pad_mode = 'reflect'

    def __init__(self, network: dict, conditional: bool = True,
                 self_ensemble: int = 1) -> None:
        super().__init__()
        self.network = MODELS.build(network)
        channels = self.network.in_channels
        if conditional and channels % 2:
            raise ValueError('a conditional network takes two images, so its '
                             'in_channels must be even, but got '
                             f'{channels}.')
        self.in_channels = channels // 2 if conditional else channels
        self.conditional = conditional
        self.self_ensemble = check_copies(self_ensemble)
        self.divisor = 2**(len(self.network.channel_factor_list) - 1)

    def embed_time(self, t: Union[int, float, Tensor], x: Tensor) -> Tensor:
        """Return the times (B,); the network embeds them itself."""
        if not isinstance(t, Tensor):
            t = x.new_full((1, ), t)
        return t.to(x).reshape(-1)

    def features(self, x: Tensor, time: Tensor) -> Tensor:
        return self.network(x, time)['sample'][:, :self.in_channels]

    def with_times(self, times) -> 'UnetNoisePredictor':
        return self
