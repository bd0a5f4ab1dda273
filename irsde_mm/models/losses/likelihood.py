"""Training objective based on a likelihood bound."""
from typing import Optional

from torch import Tensor, nn

from ...registry import MODELS
from ...sde import SDE
from ...sde.log_snr import FIRST_TIME, log_snr_range
from ...sde.predictions import Prediction


@MODELS.register_module()
class LikelihoodLoss(nn.Module):
    """Squared noise error with the weights of the likelihood bound.

    The bound weights the score error with g_t^2, which is
    2 theta_t / (1 - exp(-2 theta_bar_t)) on |noise_pred - noise|^2 (Song et
    al., "Maximum Likelihood Training of Score-Based Diffusion Models", NeurIPS
    2021, theorem 1, for a mean-reverting process; derived in
    docs/likelihood.md). The value is the integral of the bound from t = 1 to T
    in nats per dimension; earlier times have weight 0.

    Args:
        importance (bool): Whether times are drawn uniformly in log-SNR, with
            ``timesteps='log_snr'`` of the restorer, and therefore have equal
            weights. Otherwise, times are uniform in t.

    Attributes:
        objective (str): 'likelihood', saved in checkpoints.
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
        """Return the loss as a scalar, see :class:`MaximumLikelihoodLoss`."""
        each = (prediction.noise - noise).square().mean((1, 2, 3))
        if self.importance:
            return log_snr_range(sde) / 2 * each.mean()
        weight = (sde.diffusion(t) / sde.coefficients(t)[2]).square().flatten()
        weight = weight.masked_fill(t < FIRST_TIME, 0)
        return sde.num_steps * sde.dt / 2 * (weight * each).mean()
