"""Bridges: processes conditioned to end in the degraded image."""
from typing import Optional, Tuple

import torch
from torch import Tensor

from .base import Coefficients, Generators, Time, combine, nonzero
from .euler_form import EulerForm
from .mean_reverting import MeanRevertingSDE


class GOUB(MeanRevertingSDE):
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
    signal_at_end = noise_at_end = False

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
        raise ValueError('GOUB ends in mu itself, not in a stationary '
                         'distribution.')

    def start(self, mu: Tensor, generator: Generators = None,
              sigma: Optional[float] = None) -> Tuple[Tensor, int]:
        """Return mu and T. Draw no noise and ignore ``sigma``."""
        return mu, self.num_steps

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
