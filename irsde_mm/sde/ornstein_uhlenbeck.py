"""What all processes with a drift towards a mean share: tables, Euler form."""
from typing import Optional

import torch
from torch import Tensor

from .base import SDE, Time, combine
from .euler_form import EulerForm


class OrnsteinUhlenbeckSDE(EulerForm, SDE):
    """dx = theta_t (m - x) dt + sigma_t dw with sigma_t^2 = 2 lam^2 theta_t.

    What a process reverts to, m, is given by :meth:`reverts_to`: mu for
    IR-SDE, 0 for a variance-preserving diffusion. It ends near N(m, lam^2).
    Constructors call :meth:`_tabulate` after this one.

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
        """Tables from the speeds theta (T+1,), float64; entry 0 is left out.

        They are kept in torch's default dtype.
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
        """m (B, C, H, W); None is 0."""
        return mu

    def theta_bar_at(self, t: Time) -> Tensor:
        """The integral of theta from 0 to t, linear between whole times."""
        return self.lookup(self.theta_bar, t)

    def marginal_std(self, t: Time) -> Tensor:
        """c_t = lam sqrt(1 - exp(-2 theta_bar_t))."""
        if isinstance(t, int):
            return self.lookup(self.std, t)
        return self.lam * (-torch.expm1(-2 * self.theta_bar_at(t))).sqrt()

    def retention(self, t: Time, s: Time) -> Tensor:
        """A(t, s) = exp(-(theta_bar_t - theta_bar_s))."""
        return torch.exp(self.theta_bar_at(s) - self.theta_bar_at(t))

    # ---------------------------------------------------------- Euler form

    def drift(self, x: Tensor, mu: Optional[Tensor], t: Time,
              x0: Optional[Tensor] = None) -> Tensor:
        """The forward drift theta_t (m - x)."""
        theta = self.lookup_ceil(self.theta, t)
        return combine((-theta, x), (theta, self.reverts_to(mu)))

    def reverse_drift(self, xt: Tensor, mu: Optional[Tensor], score: Tensor,
                      t: Time, probability_flow: bool = False) -> Tensor:
        """theta_t (m - x) - sigma_t^2 score, half of that for the flow.

        One Euler step back is ``x - reverse_drift * step_size``, less
        ``sigma_t sqrt(step_size) z`` for the SDE (Luo et al., 2023, equation
        7; Song et al., ICLR 2021, equations 6 and 13).
        """
        theta, variance = self.lookup_ceil(self.theta, t), self.diffusion(t)**2
        if probability_flow:
            variance = variance / 2
        return combine((theta, self.reverts_to(mu)), (-theta, xt),
                       (-variance, score))

    def diffusion(self, t: Time) -> Tensor:
        """sigma_t."""
        return self.lookup_ceil(self.sigma, t)

    def step_size(self, t: Time, s: Optional[Time] = None) -> Tensor:
        """The step that carries theta_t from t to s (default: the one before).

        (theta_bar_t - theta_bar_s) / theta_t, so that theta times step adds
        up to theta_bar_T on every grid; dt for a training step.
        """
        s = self.previous(t) if s is None else s
        length = self.theta_bar_at(t) - self.theta_bar_at(s)
        return length / self.lookup_ceil(self.theta, t)

    def debias(self, noise: Tensor, xt: Tensor, mu: Optional[Tensor],
               t: Time) -> Tensor:
        """The noise behind a prediction trained with the Euler objective.

        [2 k e - (1 + k - e^k) c_t (x_t - m) / lam^2] / (2 sinh k), with k the
        training step (derived in docs/paper_to_code.md).
        """
        k = self._training_step(t)
        shift = (k - torch.expm1(k)) * self.marginal_std(t) / self.lam**2
        double_sinh = 2 * torch.sinh(k)
        w = shift / double_sinh
        return combine((2 * k / double_sinh, noise), (-w, xt),
                       (w, self.reverts_to(mu)))

    def _training_step(self, t: Time) -> Tensor:
        """k = theta_bar_t - theta_bar_max(t-1, 0)."""
        return self.theta_bar_at(t) - self.theta_bar_at(self.previous(t))
