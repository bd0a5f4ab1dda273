"""IR-SDE: Luo et al., Image Restoration with Mean-Reverting SDEs, 2023."""
from typing import Optional, Tuple

import torch
from torch import Tensor

from .base import Coefficients, Generators, Time, combine, draw_noise
from .mean_reverting import MeanRevertingSDE


class IRSDE(MeanRevertingSDE):
    """The process that forgets a clean image x0 and ends at mu + lam noise.

    ``x_t = mu + (x0 - mu) a_t + c_t noise`` with a_t = exp(-theta_bar_t) and
    c_t = lam sqrt(1 - a_t^2) (the paper's equation 6). Arguments and errors:
    :class:`MeanRevertingSDE`.

    Attributes:
        a, b (Tensor): Tables (T+1,) beside those of the base.
    """

    a: Tensor
    b: Tensor

    def __init__(self, max_sigma: float, num_steps: int = 100,
                 schedule: str = 'cosine', eps: float = 0.005) -> None:
        super().__init__(max_sigma, num_steps, schedule, eps)
        for name, table in (('a', torch.exp(-self.theta_bar.double())),
                            ('b', -torch.expm1(-self.theta_bar.double()))):
            self.register_buffer(name, table.float(), persistent=False)

    def coefficients(self, t: Time) -> Coefficients:
        if isinstance(t, int):
            return (self.lookup(self.a, t), self.lookup(self.b, t),
                    self.lookup(self.std, t))
        theta_bar = self.lookup(self.theta_bar, t)
        return (torch.exp(-theta_bar), -torch.expm1(-theta_bar),
                self.marginal_std(t))

    def start(self, mu: Tensor, generator: Generators = None,
              sigma: Optional[float] = None) -> Tuple[Tensor, int]:
        """x_T = mu + lam noise, T. ``sigma`` is ignored."""
        xt = torch.add(mu, draw_noise(mu, generator), alpha=self.lam)
        return xt, self.num_steps

    def drift(self, x: Tensor, mu: Tensor, t: Time,
              x0: Optional[Tensor] = None) -> Tensor:
        """theta_t (mu - x), equation 3. ``x0`` is not needed."""
        return self.lookup_ceil(self.theta, t) * (mu - x)

    def reverse_drift(self, xt: Tensor, mu: Tensor, score: Tensor, t: Time,
                      probability_flow: bool = False) -> Tensor:
        """theta_t (mu - x) - sigma_t^2 score (equation 7), half for the flow.

        """
        theta, variance = self.lookup_ceil(self.theta, t), self.diffusion(t)**2
        if probability_flow:
            variance = variance / 2
        return combine((theta, mu), (-theta, xt), (-variance, score))

    def debias(self, noise: Tensor, xt: Tensor, mu: Tensor,
               t: Time) -> Tensor:
        """The noise behind a prediction trained with the Euler objective.

        [2 k e - (1 + k - e^k) c_t (x_t - mu) / lam^2] / (2 sinh k), with k the
        training step (derived in MATH section 1, "a finding").
        """
        k = self._training_step(t)
        shift = (k - torch.expm1(k)) * self.marginal_std(t) / self.lam**2
        double_sinh = 2 * torch.sinh(k)
        w = shift / double_sinh
        return combine((2 * k / double_sinh, noise), (-w, xt), (w, mu))
