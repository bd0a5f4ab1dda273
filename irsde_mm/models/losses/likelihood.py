"""Training on a bound of the likelihood."""
from typing import Optional

from torch import Tensor, nn

from ...registry import MODELS
from ...sde import SDE
from ...sde.log_snr import FIRST_TIME, log_snr_range
from ...sde.predictions import Prediction


@MODELS.register_module()
class LikelihoodLoss(nn.Module):
    """Squared error of the noise in the weights of the likelihood's bound.

    The score's error counts g_t^2, which is 2 theta_t / (1 - exp(-2
    theta_bar_t)) on |noise_pred - noise|^2 (Song et al., "Maximum Likelihood
    Training of Score-Based Diffusion Models", NeurIPS 2021, theorem 1, on a
    process that reverts to its mean; docs/likelihood.md derives it). The value
    is the bound's integral from t = 1 to T in nats a dimension; earlier times
    count nothing.

    Args:
        importance (bool): Whether times are drawn uniformly in log-SNR, as
            ``timesteps='log_snr'`` of the restorer does; all then weigh the
            same. Otherwise they are uniform in t.

    Attributes:
        objective (str): 'likelihood', kept in checkpoints.
    """

    objective = 'likelihood'
    needs_euler_form = needs_stationary_end = True

    def __init__(self, importance: bool = False) -> None:
        super().__init__()
        self.importance = importance

    def forward(self, sde: SDE, prediction: Prediction, *, output: Tensor,
                target: Tensor, xt: Tensor, x0: Tensor, mu: Optional[Tensor],
                t: Tensor, noise: Tensor,
                weight: Optional[Tensor] = None) -> Tensor:
        """The loss, a scalar. Arguments: :class:`MaximumLikelihoodLoss`."""
        each = (prediction.noise - noise).square().mean((1, 2, 3))
        if self.importance:
            return log_snr_range(sde) / 2 * each.mean()
        weight = (sde.diffusion(t) / sde.coefficients(t)[2]).square().flatten()
        kept = weight.masked_fill(t < FIRST_TIME, 0)
        return sde.num_steps * sde.dt / 2 * (kept * each).mean()
