"""The network of a process without its process: one call, no steps."""
from typing import Optional

from mmengine.model import BaseModule
from torch import Tensor

from ...registry import MODELS


@MODELS.register_module()
class RegressionNetwork(BaseModule):
    """A noise predictor as a plain regression, ``mu + network(mu, mu, 0)``.

    The paper's "CNN baseline" (Luo et al., ICML 2023, section 5): the same
    network of the same size, trained with L1 to give the clean image at
    once, so that what differs is the process alone. The network is shown the
    degraded image as a state of the process at time 0. What it gives is added
    to the degraded image, as all regression models beside it do (NAFNet,
    Restormer, SwinIR): without, a short training is spent on copying.

    Args:
        network (dict): Noise predictor, ``forward(xt, mu, t)``, as it stands
            under ``generator`` in the config of the process.
        init_cfg (dict, optional): mmengine's initialisation config.
    """

    def __init__(self, network: dict,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        self.network = MODELS.build(network)
        self.in_channels = network.get(
            'in_channels', network.get('img_channels', 3))
        self.divisor = self.network.divisor

    def forward(self, mu: Tensor) -> Tensor:
        """Restores in one call.

        Args:
            mu (Tensor): Degraded images (B, C, H, W) in [0, 1].

        Returns:
            Tensor: Restored images (B, C, H, W), not clipped.

        Raises:
            DataError: If channels do not fit.
        """
        return mu + self.network(mu, mu, 0)
