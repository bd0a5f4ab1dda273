"""The network of a process without its process: one call, no steps."""
from torch import Tensor, nn


class RegressionNetwork(nn.Module):
    """A noise predictor as a plain regression, ``mu + network(mu, mu, 0)``.

    The paper's "CNN baseline" (Luo et al., ICML 2023, section 5): the same
    network of the same size, trained with L1 to give the clean image at
    once, so that what differs is the process alone. The network is shown the
    degraded image as a state of the process at time 0. What it gives is added
    to the degraded image, as all regression models beside it do (NAFNet,
    Restormer, SwinIR): without, a short training is spent on copying.

    Args:
        network (nn.Module): Network of a process, ``forward(xt, mu, t)``; in
            a config, what stands under ``generator`` in that of the process.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.in_channels = network.in_channels
        self.divisor = network.divisor

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
