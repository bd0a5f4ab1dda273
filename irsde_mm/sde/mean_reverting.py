"""What IR-SDE and the Denoising-SDE share: tables and Euler form."""
import math
from abc import abstractmethod
from typing import Optional

import torch
from torch import Tensor

from .base import SDE, Time
from .schedules import SCHEDULES


class MeanRevertingSDE(SDE):
    """dx = theta_t (mu - x) dt + sigma_t dw with sigma_t^2 = 2 lam^2 theta_t.

    Source: Luo et al., ICML 2023, equations 3 to 6. theta_bar, the integral of
    theta, is linear between whole times; theta and sigma are those of the
    step that a time lies in.

    Args:
        max_sigma (float): lam, the stationary standard deviation, in (0, 1]
            (image units; the papers' 10 is ``10 / 255``).
        num_steps (int): T.
        schedule (str): 'cosine', 'linear' or 'constant'.
        eps (float): What is left of x0 at T, a_T for IR-SDE, in (0, 1).

    Raises:
        ValueError: If an argument is out of its range.

    Attributes:
        theta, theta_bar, sigma, std (Tensor): Tables (T+1,); std is c_t.
        dt (float): Length of a training step.
        lam (float): Another name of ``max_sigma``, the paper's letter.
    """

    theta: Tensor
    theta_bar: Tensor
    sigma: Tensor
    std: Tensor

    def __init__(self, max_sigma: float, num_steps: int = 100,
                 schedule: str = 'cosine', eps: float = 0.005) -> None:
        super().__init__(num_steps)
        if not 0 < max_sigma <= 1:
            raise ValueError('max_sigma must lie in (0, 1] (write 10 / 255 '
                             f'for 10 grey levels), but is {max_sigma}.')
        if not 0 < eps < 1:
            raise ValueError(f'eps must lie in (0, 1), but is {eps}.')
        if schedule not in SCHEDULES:
            raise ValueError(f'unknown schedule {schedule!r}; there are '
                             f'{", ".join(SCHEDULES)}.')
        self.max_sigma = self.lam = float(max_sigma)
        self.schedule = schedule
        self.eps = float(eps)

        theta = SCHEDULES[schedule](num_steps)
        self.dt = -math.log(eps) / float(theta[1:].sum())
        theta_bar = self.dt * (theta.cumsum(0) - theta[0])
        tables = dict(
            theta=theta,
            theta_bar=theta_bar,
            sigma=self.lam * (2 * theta).sqrt(),
            std=self.lam * (-torch.expm1(-2 * theta_bar)).sqrt())
        for name, table in tables.items():
            self.register_buffer(name, table.float(), persistent=False)

    def marginal_std(self, t: Time) -> Tensor:
        """c_t = lam sqrt(1 - exp(-2 theta_bar_t))."""
        if isinstance(t, int):
            return self.lookup(self.std, t)
        theta_bar = self.lookup(self.theta_bar, t)
        return self.lam * (-torch.expm1(-2 * theta_bar)).sqrt()

    def retention(self, t: Time, s: Time) -> Tensor:
        """A(t, s) = exp(-(theta_bar_t - theta_bar_s))."""
        return torch.exp(self.lookup(self.theta_bar, s)
                         - self.lookup(self.theta_bar, t))

    # ---------------------------------------------------------- Euler form

    @abstractmethod
    def drift(self, x: Tensor, mu: Optional[Tensor], t: Time,
              x0: Optional[Tensor] = None) -> Tensor:
        """The forward drift theta_t (mean - x)."""

    @abstractmethod
    def reverse_drift(self, xt: Tensor, mu: Optional[Tensor], score: Tensor,
                      t: Time, probability_flow: bool = False) -> Tensor:
        """The drift of the reverse-time SDE, or of its probability flow.

        One Euler step back is ``x - reverse_drift * step_size``, less
        ``sigma_t sqrt(step_size) z`` for the SDE.
        """

    def diffusion(self, t: Time) -> Tensor:
        """sigma_t."""
        return self.lookup_ceil(self.sigma, t)

    def step_size(self, t: Time, s: Optional[Time] = None) -> Tensor:
        """The step that carries theta_t from t to s (default: the one before).

        (theta_bar_t - theta_bar_s) / theta_t, so that theta times step adds
        up to theta_bar_T on every grid; dt for a training step.
        """
        s = self.previous(t) if s is None else s
        length = (self.lookup(self.theta_bar, t)
                  - self.lookup(self.theta_bar, s))
        return length / self.lookup_ceil(self.theta, t)

    def _training_step(self, t: Time) -> Tensor:
        """k = theta_bar_t - theta_bar_max(t-1, 0)."""
        return (self.lookup(self.theta_bar, t)
                - self.lookup(self.theta_bar, self.previous(t)))

    def extra_repr(self) -> str:
        return (f'max_sigma={self.max_sigma * 255:.4g}/255, '
                f'{super().extra_repr()}, schedule={self.schedule!r}, '
                f'eps={self.eps:g}')

