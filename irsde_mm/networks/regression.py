"""Network of a process, used without the process in a single call."""
import warnings

from torch import Tensor, nn


class RegressionNetwork(nn.Module):
    """Noise predictor as a plain regression, ``mu + network(mu, mu, 0)``.

    The paper's "CNN baseline" (Luo et al., ICML 2023, section 5): the same
    network of the same size, trained with L1 to predict the clean image in
    one call, so that only the process differs. The network gets the degraded
    image as the state of the process at time 0. Its output is added to the
    degraded image, as in the other regression models (NAFNet, Restormer,
    SwinIR); otherwise a short training would be spent on learning to copy.

    Weights of the network alone also load, with a warning, so that training
    can start from those of a process: ``load_from`` its checkpoint.

    Args:
        network (nn.Module): Network of a process, ``forward(xt, mu, t)``. In
            a config, the ``generator`` of the process's config.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.in_channels = network.in_channels
        self.divisor = network.divisor

    def forward(self, mu: Tensor) -> Tensor:
        """Restore images in one call.

        Args:
            mu (Tensor): Degraded images (B, C, H, W) in [0, 1].

        Returns:
            Tensor: Restored images (B, C, H, W), not clipped.

        Raises:
            DataError: If the number of channels is wrong.
        """
        return mu + self.network(mu, mu, 0)

    def _load_from_state_dict(self, state_dict: dict, prefix: str,
                              *args) -> None:
        found = [key for key in self.network.state_dict()
                 if prefix + key in state_dict]
        for key in found:
            state_dict[f'{prefix}network.{key}'] = state_dict.pop(prefix + key)
        if found:
            warnings.warn('the weights are those of a process: train the '
                          'regression before its use.', stacklevel=2)
        super()._load_from_state_dict(state_dict, prefix, *args)
