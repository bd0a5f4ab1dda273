"""Variance-preserving diffusion from pure noise, as SR3 restores with it."""
import math
from typing import Optional, Tuple

import torch
from torch import Tensor

from .base import Coefficients, Generators, Time, draw_noise
from .ornstein_uhlenbeck import OrnsteinUhlenbeckSDE
from .schedules import BETAS


class VPSDE(OrnsteinUhlenbeckSDE):
    """The process that forgets x0 altogether: ``x_t = a_t x0 + c_t noise``.

    a_t = sqrt(alpha_bar_t), called the level, is the product of sqrt(1 -
    beta) over the steps up to t, and c_t = sqrt(1 - a_t^2). The degraded image
    is the network's condition and nothing else (b = 0). The network is told
    the level in place of the time. Between whole times the level is linear,
    so that t ~ U(0, T] draws the levels of SR3's training. Images are in
    [-1, 1] here.

    Source: Saharia et al., "Image Super-Resolution via Iterative Refinement",
    TPAMI 2022 (SR3), section 2; Ho et al., NeurIPS 2020. As an SDE it reverts
    to 0 with lam = 1 and theta dt = -ln(1 - beta) / 2 in each step.

    Args:
        num_steps (int): T.
        schedule (str): Of the betas: 'linear', 'quadratic', 'constant',
            'warmup10' and 'warmup50' (a rise during 10 or 50 % of the steps),
            'cosine', or 'jsd', which ends at level 0 and needs a sampler that
            limits x0.
        beta_start, beta_end (float): First and last beta, in (0, 1];
            'constant' takes the last, 'cosine' and 'jsd' neither.

    Raises:
        ValueError: If an argument is out of its range.
    """

    published_sampler = 'posterior'
    published_clamp = (-1., 1.)

    def __init__(self, num_steps: int = 2000, schedule: str = 'linear',
                 beta_start: float = 1e-6, beta_end: float = 1e-2) -> None:
        super().__init__(num_steps)
        if schedule not in BETAS:
            raise ValueError(f'unknown schedule {schedule!r}; there are '
                             f'{", ".join(BETAS)}.')
        for name, beta in (('beta_start', beta_start), ('beta_end', beta_end)):
            if not 0 < beta <= 1:
                raise ValueError(f'{name} must lie in (0, 1], but is {beta}.')
        self.schedule = schedule
        betas = BETAS[schedule](num_steps, beta_start, beta_end)
        if (betas[:-1] == 1).any():
            raise ValueError('a beta of 1 before the last step leaves nothing '
                             'of x0: choose a smaller beta_end.')
        self.signal_at_end = bool(betas[-1] != 1)
        theta = -torch.log1p(-betas) / 2
        self._tabulate(1., torch.cat((theta[:1], theta)), 1.)

    @classmethod
    def example(cls, num_steps: int = 100, **kwargs) -> 'VPSDE':
        # few steps that reach noise all the same
        usual = dict(beta_start=1e-4, beta_end=20 / num_steps)
        return cls(num_steps=num_steps, **dict(usual, **kwargs))

    # ------------------------------------------- between images and networks

    def from_image(self, image: Tensor) -> Tensor:
        """[0, 1] -> [-1, 1]."""
        return 2 * image - 1

    def to_image(self, x: Tensor) -> Tensor:
        """[-1, 1] -> [0, 1]."""
        return (x + 1) / 2

    def network_time(self, t: Time) -> Tensor:
        """The level a_t."""
        return self.coefficients(t)[0]

    # -------------------------------------------------------------- the curve

    def reverts_to(self, mu: Optional[Tensor]) -> None:
        """0, whatever the degraded image."""
        return None

    def theta_bar_at(self, t: Time) -> Tensor:
        """-ln of the level, which is linear between whole times.

        With f the share of the step that lies before t, this is
        theta_bar_s - ln(1 + f (a_{s+1} / a_s - 1)), s the whole time before.
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
        """Pure noise, T. ``sigma`` is ignored."""
        return draw_noise(mu, generator), self.num_steps

    def predict_x0(self, xt: Tensor, mu: Optional[Tensor], noise: Tensor,
                   t: Time) -> Tensor:
        """The clean image that explains x_t with the given noise; 0, the
        middle of the range, where the level is 0 and any image does."""
        middle = None if self.signal_at_end else torch.zeros_like(xt)
        return super().predict_x0(xt, middle, noise, t)

    def extra_repr(self) -> str:
        return f'{super().extra_repr()}, schedule={self.schedule!r}'
