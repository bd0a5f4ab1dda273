"""IR-SDE (Luo et al., Image Restoration with Mean-Reverting SDEs, 2023)."""
from typing import Optional, Tuple

import torch
from torch import Tensor

from .base import Coefficients, Generators, Time, draw_noise
from .mean_reverting import MeanRevertingSDE


class IRSDE(MeanRevertingSDE):
    """Mean-reverting process from a clean image x0 to mu + lam noise.

    ``x_t = mu + (x0 - mu) a_t + c_t noise`` with a_t = exp(-theta_bar_t) and
    c_t = lam sqrt(1 - a_t^2) (equation 6 of the paper). For arguments and
    errors, see :class:`MeanRevertingSDE`.

    Attributes:
        a, b (Tensor): Tables (T+1,), in addition to those of the base class.
    """

    a: Tensor
    b: Tensor

    def __init__(self, max_sigma: float, num_steps: int = 100,
                 schedule: str = 'cosine', eps: float = 0.005) -> None:
        super().__init__(max_sigma, num_steps, schedule, eps)
        theta_bar = self.theta_bar.double()
        self.keep_table('a', torch.exp(-theta_bar))
        self.keep_table('b', -torch.expm1(-theta_bar))

    def coefficients(self, t: Time) -> Coefficients:
        if isinstance(t, int):
            return (self.lookup(self.a, t), self.lookup(self.b, t),
                    self.lookup(self.std, t))
        theta_bar = self.theta_bar_at(t)
        return (torch.exp(-theta_bar), -torch.expm1(-theta_bar),
                self.marginal_std(t))

    def start(self, mu: Tensor, generator: Generators = None,
              sigma: Optional[float] = None) -> Tuple[Tensor, int]:
        """Return x_T = mu + lam noise and T. Ignore ``sigma``."""
        xt = torch.add(mu, draw_noise(mu, generator), alpha=self.lam)
        return xt, self.num_steps
