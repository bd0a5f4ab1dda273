"""Base class of processes that drift toward a mean."""
from typing import Optional

import torch
from torch import Tensor

from .base import SDE, Time, combine
from .euler_form import EulerForm


class OrnsteinUhlenbeckSDE(EulerForm, SDE):
    """Ornstein-Uhlenbeck process dx = theta_t (m - x) dt + sigma_t dw with
    sigma_t^2 = 2 lam^2 theta_t.

    :meth:`reverts_to` returns the mean m: mu for IR-SDE, 0 for a
    variance-preserving diffusion. The process ends near N(m, lam^2).
    Constructors of subclasses call :meth:`_tabulate` after
    ``super().__init__()``.

    Attributes:
        theta, theta_bar, sigma, std (Tensor): Tables (T+1,); std is c_t.
        dt (float): Length of a training step.
        lam (float): The stationary standard deviation.
    """

    stationary_end = True

    theta: Tensor
    theta_bar: Tensor
    sigma: Tensor
    std: Tensor
    lam: float
    dt: float

    def _tabulate(self, lam: float, theta: Tensor, dt: float) -> None:
        """Compute the tables from theta (T+1,), float64; entry 0 is unused.

        The tables are stored in torch's default dtype.
        """
        self.lam, self.dt = lam, dt
        theta_bar = dt * (theta.cumsum(0) - theta[0])
        tables = dict(
            theta=theta,
            theta_bar=theta_bar,
            sigma=lam * (2 * theta).sqrt(),
            std=lam * (-torch.expm1(-2 * theta_bar)).sqrt())
        for name, table in tables.items():
            self.keep_table(name, table)

    def reverts_to(self, mu: Optional[Tensor]) -> Optional[Tensor]:
        """Return m (B, C, H, W), or None for 0."""
        return mu

    def theta_bar_at(self, t: Time) -> Tensor:
        """Return the integral of theta from 0 to t, linear between integer
        times."""
        return self.lookup(self.theta_bar, t)

    def marginal_std(self, t: Time) -> Tensor:
        """Return c_t = lam sqrt(1 - exp(-2 theta_bar_t))."""
        if isinstance(t, int):
            return self.lookup(self.std, t)
        return self.lam * (-torch.expm1(-2 * self.theta_bar_at(t))).sqrt()

    def retention(self, t: Time, s: Time) -> Tensor:
        """Return A(t, s) = exp(-(theta_bar_t - theta_bar_s))."""
        return torch.exp(self.theta_bar_at(s) - self.theta_bar_at(t))

    # ---------------------------------------------------------- Euler form

    def drift(self, x: Tensor, mu: Optional[Tensor], t: Time,
              x0: Optional[Tensor] = None) -> Tensor:
        """Return the forward drift theta_t (m - x)."""
        theta = self.lookup_ceil(self.theta, t)
        return combine((-theta, x), (theta, self.reverts_to(mu)))

    def reverse_drift(self, xt: Tensor, mu: Optional[Tensor], score: Tensor,
                      t: Time, probability_flow: bool = False) -> Tensor:
        """Return theta_t (m - x) - sigma_t^2 score, with half the score term
        for the probability flow.

        A reverse Euler step is ``x - reverse_drift * step_size``, minus
        ``sigma_t sqrt(step_size) z`` for the SDE (Luo et al., 2023, equation
        7; Song et al., ICLR 2021, equations 6 and 13).
        """
        theta, variance = self.lookup_ceil(self.theta, t), self.diffusion(t)**2
        if probability_flow:
            variance = variance / 2
        return combine((theta, self.reverts_to(mu)), (-theta, xt),
                       (-variance, score))

    def diffusion(self, t: Time) -> Tensor:
        """Return sigma_t."""
        return self.lookup_ceil(self.sigma, t)

    def step_size(self, t: Time, s: Optional[Time] = None) -> Tensor:
        """Return the length of the Euler step from t to s, by default one
        training step.

        (theta_bar_t - theta_bar_s) / theta_t, so that theta times step size
        sums to theta_bar_T on every grid; dt for a training step.
        """
        s = self.previous(t) if s is None else s
        length = self.theta_bar_at(t) - self.theta_bar_at(s)
        return length / self.lookup_ceil(self.theta, t)

    def debias(self, noise: Tensor, xt: Tensor, mu: Optional[Tensor],
               t: Time) -> Tensor:
        """Return the unbiased noise for a prediction trained with the Euler
        objective.

        [2 k e - (1 + k - e^k) c_t (x_t - m) / lam^2] / (2 sinh k), where e is
        the prediction and k the training step (derived in
        docs/paper_to_code.md).
        """
        k = self._training_step(t)
        shift = (k - torch.expm1(k)) * self.marginal_std(t) / self.lam**2
        double_sinh = 2 * torch.sinh(k)
        w = shift / double_sinh
        return combine((2 * k / double_sinh, noise), (-w, xt),
                       (w, self.reverts_to(mu)))

    def _training_step(self, t: Time) -> Tensor:
        """Return k = theta_bar_t - theta_bar_max(t-1, 0)."""
        return self.theta_bar_at(t) - self.theta_bar_at(self.previous(t))
