"""Bridges: processes conditioned to end in the degraded image."""
import math
from typing import Optional, Tuple

import torch
from torch import Tensor

from .base import (SDE, Coefficients, Generators, Time, combine, draw_noise,
                   nonzero)
from .ends import EndsInMu, refuse_start_noise
from .euler_form import EulerForm
from .mean_reverting import MeanRevertingSDE
from .ranges import SymmetricRange
from .schedules import quadratic_betas


class GOUB(EndsInMu, MeanRevertingSDE):
    """Generalized Ornstein-Uhlenbeck bridge: IR-SDE conditioned to end in mu.

    a_t = exp(-theta_bar_t) st^2 / sT^2, b_t = 1 - a_t, c_t = sb st / sT with
    sb^2 = lam^2 (1 - exp(-2 theta_bar_t)), st^2 = lam^2 (1 - E_t^2), E_t =
    exp(-(theta_bar_T - theta_bar_t)) and sT = sb_T. Both ends are free of
    noise, so a few-step sampler draws noise in its first step.

    Source: Yue et al., "Image Restoration Through Generalized
    Ornstein-Uhlenbeck Bridge", ICML 2024, for any T. For arguments and
    errors, see :class:`MeanRevertingSDE`.
    """

    stationary_end = False

    def _log_end(self, t: Time) -> Tensor:
        """Return ln E_t = theta_bar_t - theta_bar_T."""
        return self.theta_bar_at(t) - self.theta_bar[-1]

    def _end_gap(self, t: Time) -> Tensor:
        """Return 1 - E_t^2 = st^2 / lam^2."""
        return -torch.expm1(2 * self._log_end(t))

    def coefficients(self, t: Time) -> Coefficients:
        theta_bar = self.theta_bar_at(t)
        gap, whole = self._end_gap(t), self._end_gap(0)
        left = torch.exp(-theta_bar)
        a = left * gap / whole
        # avoids the cancellation in 1 - a
        b = -torch.expm1(-theta_bar) + left * (1 - gap / whole)
        start = -torch.expm1(-2 * theta_bar)
        return a, b, self.lam * (start * gap / whole).sqrt()

    def retention(self, t: Time, s: Time) -> Tensor:
        """Return A(t, s) = a_t / a_s."""
        return self.coefficients(t)[0] / nonzero(self.coefficients(s)[0])

    def forward_std(self, t: Time) -> Tensor:
        """Return sb_t, the standard deviation without the conditioning."""
        return self.marginal_std(t)

    def reverts_to(self, mu: Optional[Tensor]) -> Tensor:
        """Raise an error, because a bridge has no stationary distribution.

        Raises:
            ValueError: Always.
        """
        raise ValueError(f'{type(self).__name__} ends in mu itself, not in a '
                         'stationary distribution.')

    # ---------------------------------------------------------- Euler form

    def _drift_rate(self, t: Time) -> Tensor:
        """Return theta_t + sigma_t^2 E_t^2 / st^2, the factor of mu - x in the
        drift.

        At T, where the second term is infinite and mu - x is 0, the term is
        omitted, as in the published code.
        """
        E2 = torch.exp(2 * self._log_end(t))
        h = self.diffusion(t)**2 * E2 / nonzero(
            self.lam**2 * self._end_gap(t))
        return self.lookup_ceil(self.theta, t) + h

    def drift(self, x: Tensor, mu: Optional[Tensor], t: Time,
              x0: Optional[Tensor] = None) -> Tensor:
        """Return theta_t (mu - x) + h with
        h = sigma_t^2 E_t^2 (mu - x) / st^2."""
        rate = self._drift_rate(t)
        return combine((rate, mu), (-rate, x))

    def reverse_drift(self, xt: Tensor, mu: Optional[Tensor], score: Tensor,
                      t: Time, probability_flow: bool = False) -> Tensor:
        """Return drift - sigma_t^2 score, or drift - sigma_t^2 score / 2 for
        the probability flow."""
        rate, variance = self._drift_rate(t), self.diffusion(t)**2
        if probability_flow:
            variance = variance / 2
        return combine((rate, mu), (-rate, xt), (-variance, score))

    debias = EulerForm.debias


class UniDB(GOUB):
    """Bridge whose end is tied to mu with a finite penalty gamma.

    The equations are those of :class:`GOUB` with 1/gamma + st^2 in place of
    st^2 and 1/gamma + sT^2 in place of sT^2, in the drift and in c_t. The
    published implementation changes the drift but keeps the c_t of GOUB, for
    which one-step variances near T are negative. The process ends in
    N(a_T x0 + b_T mu, c_T^2). An infinite gamma gives GOUB, and gamma toward
    0 gives IR-SDE.

    At the published gamma, a_T is 4e-8, and an Euler step at T would be
    unstable. If 1 / (gamma lam^2) < 2 theta_T dt, the rules of GOUB hold at
    T: no h term, no score, and x0 is undetermined.

    Source: Zhu et al., "UniDB: A Unified Diffusion Bridge Framework via
    Stochastic Optimal Control", ICML 2025.

    Args:
        max_sigma, num_steps, schedule, eps: See :class:`MeanRevertingSDE`.
        gamma (float): Penalty on the distance to mu at T, > 0;
            ``float('inf')`` is GOUB.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(self, max_sigma: float, num_steps: int = 100,
                 schedule: str = 'cosine', eps: float = 0.005,
                 gamma: float = 1e7) -> None:
        super().__init__(max_sigma, num_steps, schedule, eps)
        if not gamma > 0:
            raise ValueError('gamma must be positive (infinity is GOUB), but '
                             f'got {gamma}.')
        self.gamma = float(gamma)
        self.slack = 1 / (self.gamma * self.lam**2)
        self.signal_at_end = self.noise_at_end = \
            self.slack >= 2 * float(self.theta[-1]) * self.dt

    @classmethod
    def example(cls, num_steps: int = 100, **kwargs) -> 'UniDB':
        # a gamma that differs visibly from infinity
        return super().example(num_steps, **dict(dict(gamma=5.), **kwargs))

    def _end_gap(self, t: Time) -> Tensor:
        """Return 1 - E_t^2 + 1 / (gamma lam^2)."""
        return super()._end_gap(t) + self.slack

    def _at_end(self, t: Time) -> Tensor:
        """Return whether the rules of GOUB for T hold at t."""
        end = self._log_end(t) >= 0
        return torch.zeros_like(end) if self.signal_at_end else end

    def predict_x0(self, xt: Tensor, mu: Optional[Tensor], noise: Tensor,
                   t: Time) -> Tensor:
        """Return the clean image that yields x_t with the given noise, or mu
        where x0 is undetermined."""
        x0 = super().predict_x0(xt, mu, noise, t)
        return torch.where(self._at_end(t), mu, x0)

    def score(self, noise: Tensor, t: Time) -> Tensor:
        """Return -noise / c_t, or 0 where the rules of GOUB hold."""
        score = super().score(noise, t)
        return torch.where(self._at_end(t), torch.zeros_like(score), score)

    def _drift_rate(self, t: Time) -> Tensor:
        return torch.where(self._at_end(t), self.lookup_ceil(self.theta, t),
                           super()._drift_rate(t))

    def start(self, mu: Tensor, generator: Generators = None,
              sigma: Optional[float] = None) -> Tuple[Tensor, int]:
        """Return mu + c_T noise and T.

        Raises:
            ValueError: If ``sigma`` is given and not 0.
        """
        refuse_start_noise(self, sigma)
        noise = None if self.gamma == math.inf else draw_noise(mu, generator)
        return combine((1, mu), (self.coefficients(self.num_steps)[2], noise)
                       ), self.num_steps

    def extra_repr(self) -> str:
        return f'{super().extra_repr()}, gamma={self.gamma:g}'


class I2SB(EndsInMu, SymmetricRange, SDE):
    """Image-to-image Schroedinger bridge: Brownian motion conditioned to end
    in mu.

    With s_t^2 the sum of the betas up to t and sb_t^2 the sum of those after
    t: a_t = sb_t^2 / (s_t^2 + sb_t^2), b_t = 1 - a_t and c_t = s_t sb_t /
    sqrt(s_t^2 + sb_t^2). The square roots of the betas rise linearly over the
    first half of a ramp from 0.1 / T to beta_max / T, and fall again in the
    second half of the process. Both ends are free of noise; in the published
    tables, which count a beta twice, they are not. Images are in [-1, 1].
    Between integer times, s_t^2 is linear.

    Source: Liu et al., "I2SB: Image-to-Image Schroedinger Bridge", ICML 2023,
    proposition 3.3. The published ramp starts at 1e-4 for T = 1000; here, it
    scales with T, so that the noise does not depend on T.

    Args:
        num_steps (int): T.
        beta_max (float): T times the last beta of the ramp, in (0, 1].

    Raises:
        ValueError: If an argument is out of range.
    """

    published_sampler = 'posterior'

    forward_variance: Tensor
    backward_variance: Tensor

    def __init__(self, num_steps: int = 1000, beta_max: float = 0.3) -> None:
        super().__init__(num_steps)
        if not 0 < beta_max <= 1:
            raise ValueError('beta_max must be in (0, 1], but got '
                             f'{beta_max}.')
        self.beta_max = float(beta_max)
        rise = quadratic_betas(num_steps, 0.1 / num_steps,
                               beta_max / num_steps)[:(num_steps + 1) // 2]
        betas = torch.cat((rise, rise[:num_steps // 2].flip(0)))
        forward = torch.cat((betas.new_zeros(1), betas.cumsum(0)))
        self.keep_table('forward_variance', forward)
        self.keep_table('backward_variance', forward[-1] - forward)

    def coefficients(self, t: Time) -> Coefficients:
        s2 = self.lookup(self.forward_variance, t)
        sb2 = self.lookup(self.backward_variance, t)
        total = self.forward_variance[-1]
        return sb2 / total, s2 / total, (s2 * (sb2 / total)).sqrt()

    def forward_std(self, t: Time) -> Tensor:
        """Return s_t, the standard deviation of the Brownian motion."""
        return self.lookup(self.forward_variance, t).sqrt()

    def extra_repr(self) -> str:
        return f'{super().extra_repr()}, beta_max={self.beta_max:g}'
