"""mmagic's diffusion U-Net in the place of our own networks."""
from typing import Optional, Union

from mmengine.model import BaseModule
from torch import Tensor

from ...registry import MODELS
from .blocks import network_input, pad_to_multiple


@MODELS.register_module()
class UnetNoisePredictor(BaseModule):
    """mmagic's ``DenoisingUnet`` as a noise predictor ``forward(xt, mu, t)``.

    Any height and width: images are padded to what the levels need and the
    output is cropped back. Of an output with variances the means are taken.

    Args:
        network (dict): ``mmagic.DenoisingUnet``, whose ``in_channels`` are
            those of state and condition together: 6 for colour images.
        conditional (bool): Whether the degraded image is an input.
        init_cfg (dict, optional): mmengine's initialisation config.

    Raises:
        ValueError: If the network cannot take two images.
    """

    pad_mode = 'reflect'

    def __init__(self, network: dict, conditional: bool = True,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        self.network = MODELS.build(network)
        channels = self.network.in_channels
        if conditional and channels % 2:
            raise ValueError('a conditional network sees two images: its '
                             f'in_channels must be even, not {channels}.')
        self.in_channels = channels // 2 if conditional else channels
        self.conditional = conditional
        self.divisor = 2**(len(self.network.channel_factor_list) - 1)

    def forward(self, xt: Tensor, mu: Optional[Tensor],
                t: Union[int, float, Tensor]) -> Tensor:
        """Predicts the noise.

        Args:
            xt, mu (Tensor): State and degraded image (B, C, H, W) in [0, 1].
            t: Time, a number or (B,), fractional allowed.

        Returns:
            Tensor: Noise (B, C, H, W).

        Raises:
            DataError: If shapes or channels do not fit.
        """
        h, w = xt.shape[-2:]
        x = network_input(xt, mu, self.conditional, self.in_channels)
        x = pad_to_multiple(x, self.divisor, self.pad_mode)
        if not isinstance(t, Tensor):
            t = x.new_full((1, ), t)
        noise = self.network(x, t.to(x).reshape(-1))['sample']
        return noise[:, :self.in_channels, :h, :w]
