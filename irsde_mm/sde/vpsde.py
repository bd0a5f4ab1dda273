"""Variance-preserving diffusion that starts from pure noise, as in SR3."""
import math
from typing import Optional, Tuple

import torch
from torch import Tensor

from .base import Coefficients, Generators, Time, draw_noise
from .ornstein_uhlenbeck import OrnsteinUhlenbeckSDE
from .ranges import SymmetricRange
from .schedules import BETAS


class VPSDE(SymmetricRange, OrnsteinUhlenbeckSDE):
    """Variance-preserving process ``x_t = a_t x0 + c_t noise``.

    a_t = sqrt(alpha_bar_t), called the level, is the product of
    sqrt(1 - beta) over the steps up to t, and c_t = sqrt(1 - a_t^2). The
    degraded image is used only as the network's condition (b = 0). The network
    receives the level instead of the time. Between integer times the level is
    linear, so t ~ U(0, T] draws the levels used to train SR3. Images are in
    [-1, 1].

    Source: Saharia et al., "Image Super-Resolution via Iterative Refinement",
    TPAMI 2022 (SR3), section 2; Ho et al., NeurIPS 2020. As an SDE it reverts
    to 0 with lam = 1 and theta dt = -ln(1 - beta) / 2 in each step.

    Args:
        num_steps (int): T.
        schedule (str): Schedule of the betas: 'linear', 'quadratic',
            'constant', 'warmup10' and 'warmup50' (a rise during 10 or 50 % of
            the steps), 'cosine', or 'jsd', which ends at level 0 and needs a
            sampler that clamps x0.
        beta_start, beta_end (float): First and last beta, in (0, 1];
            'constant' uses only the last, 'cosine' and 'jsd' use neither.

    Raises:
        ValueError: If an argument is out of range.
    """

    published_sampler = 'posterior'
    published_clamp = (-1., 1.)

    def __init__(self, num_steps: int = 2000, schedule: str = 'linear',
                 beta_start: float = 1e-6, beta_end: float = 1e-2) -> None:
        super().__init__(num_steps)
        if schedule not in BETAS:
            raise ValueError(f'unknown schedule {schedule!r}; choose one of '
                             f'{", ".join(BETAS)}.')
        for name, beta in (('beta_start', beta_start), ('beta_end', beta_end)):
            if not 0 < beta <= 1:
                raise ValueError(f'{name} must be in (0, 1], but got {beta}.')
        self.schedule = schedule
        betas = BETAS[schedule](num_steps, beta_start, beta_end)
        if (betas[:-1] == 1).any():
            raise ValueError('a beta of 1 before the last step removes x0 '
                             'completely; choose a smaller beta_end.')
        self.signal_at_end = bool(betas[-1] != 1)
        theta = -torch.log1p(-betas) / 2
        self._tabulate(1., torch.cat((theta[:1], theta)), 1.)

    @classmethod
    def example(cls, num_steps: int = 100, **kwargs) -> 'VPSDE':
        # betas large enough to reach noise in few steps
        usual = dict(beta_start=1e-4, beta_end=20 / num_steps)
        return cls(num_steps=num_steps, **dict(usual, **kwargs))

    # ------------------------------------------- between images and networks

    def network_time(self, t: Time) -> Tensor:
        """Return the level a_t."""
        return self.coefficients(t)[0]

    # ----------------------------------------------------------- coefficients

    def reverts_to(self, mu: Optional[Tensor]) -> None:
        """Return None: the process reverts to 0 for any degraded image."""
        return None

    def theta_bar_at(self, t: Time) -> Tensor:
        """Return -ln of the level, which is linear between integer times.

        For s the integer time before t and f = t - s, this is
        theta_bar_s - ln(1 + f (a_{s+1} / a_s - 1)).
        """
        many = isinstance(t, Tensor) and t.ndim > 0
        if many and not t.is_floating_point():
            return self.lookup(self.theta_bar, t)
        t = t if many else self._number(t)
        before = (t.ceil().long() - 1).clamp_min(0) if many \
            else max(math.ceil(t) - 1, 0)
        start = self.lookup(self.theta_bar, before)
        step = self.lookup_ceil(self.theta_bar, t) - start
        share = (t - before).view(-1, 1, 1, 1) if many else t - before
        return start - torch.log1p(share * torch.expm1(-step))

    def coefficients(self, t: Time) -> Coefficients:
        a = torch.exp(-self.theta_bar_at(t))
        return a, torch.zeros_like(a), self.marginal_std(t)

    def start(self, mu: Tensor, generator: Generators = None,
              sigma: Optional[float] = None) -> Tuple[Tensor, int]:
        """Return pure noise and T. Ignore ``sigma``."""
        return draw_noise(mu, generator), self.num_steps

    def predict_x0(self, xt: Tensor, mu: Optional[Tensor], noise: Tensor,
                   t: Time) -> Tensor:
        """Return the clean image that yields x_t with the given noise, or 0,
        the middle of the range, where the level is 0 and x0 is undetermined.
        """
        middle = None if self.signal_at_end else torch.zeros_like(xt)
        return super().predict_x0(xt, middle, noise, t)

    def extra_repr(self) -> str:
        return f'{super().extra_repr()}, schedule={self.schedule!r}'
