"""Multistep exponential integrators."""
from typing import List, Optional, Tuple

import torch
from torch import Tensor

from ..sde.base import SDE, Time, combine
from ..sde.log_snr import half_log_snr
from ..sde.predictions import Prediction
from .base import History, Sampler
from .grids import GRIDS


class MultistepSampler(Sampler):
    """Few-step solver of first or second order for any process.

    Source: MR Sampler (Li et al., ICLR 2025), which applies DPM-Solver++ to
    the residual y = x - b mu. The linear term and the noise are integrated
    exactly; the prediction is approximated as a constant (order 1) or by
    linear extrapolation from the last two predictions (order 2). The first
    step and the step to t = 0 are of order 1.

    Args:
        num_steps, clamp: See :class:`Sampler`; any number of steps.
        order (int): 1 or 2.
        variant (str): 'ode' (deterministic) or 'sde' (fresh noise).
        prediction (str): Quantity approximated as constant or linear: 'data',
            the estimate of x0, or 'noise'. The SDE with 'noise' is unstable
            for steps longer than 0.7 in L = ln(a/c), so use it with many
            steps.
        grid (str): 'log_snr', 'uniform' (in t) or 'karras'.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(self, num_steps: Optional[int] = 10,
                 clamp: Optional[Tuple[float, float]] = None, order: int = 2,
                 variant: str = 'ode', prediction: str = 'data',
                 grid: str = 'log_snr') -> None:
        super().__init__(num_steps, clamp)
        for name, value, known in (
                ('order', order, (1, 2)), ('variant', variant, ('ode', 'sde')),
                ('prediction', prediction, ('data', 'noise')),
                ('grid', grid, tuple(GRIDS))):
            if value not in known:
                raise ValueError(f'{name} must be one of {known}, but got '
                                 f'{value!r}.')
        self.order, self.variant = order, variant
        self.form, self.grid_name = prediction, grid
        self.stochastic = variant == 'sde'
        # Both need a finite ln(a / c) at the start.
        self.needs_signal = prediction == 'noise' or grid != 'uniform'
        self.history_length = order - 1
        self._check_order(num_steps)

    def _check_order(self, n: Optional[int]) -> None:
        if n is not None and self.order > n:
            raise ValueError(f'order={self.order} needs at least {self.order} '
                             f'steps, but got num_steps={n}; use order=1.')

    def check(self, sde: SDE, t_start: int) -> None:
        super().check(sde, t_start)
        if not sde.has_noise:
            raise ValueError('MultistepSampler integrates over ln(a / c), '
                             f'but this {type(sde).__name__} has no noise; '
                             'use JumpSampler.')

    def grid(self, sde: SDE, t_start: int) -> List[Time]:
        n = self.num_steps or t_start
        self._check_order(self.num_steps)
        return GRIDS[self.grid_name](sde, t_start, n)

    def at_most(self, n: int) -> Sampler:
        sampler = super().at_most(n)
        sampler.order = min(self.order, n)
        sampler.history_length = sampler.order - 1
        return sampler

    def _integrand(self, prediction: Prediction) -> Tensor:
        """Return x0 or the noise, whichever is approximated."""
        return prediction.noise if self.form == 'noise' else prediction.x0

    def step(self, sde: SDE, xt: Tensor, prediction: Prediction, t: Time,
             s: Time, z: Optional[Tensor] = None,
             history: History = ()) -> Tensor:
        if s == 0:  # L is infinite, and the update reduces to x0
            return prediction.x0
        (a, b, c), (a1, b1, c1) = sde.coefficients(t), sde.coefficients(s)
        h = half_log_snr(sde, s) - half_log_snr(sde, t)
        m = 2 if self.variant == 'sde' else 1
        if self.form == 'data':
            w = -torch.expm1(-m * h)
            keep = c1 / c
            if m == 2:  # h is infinite where a process ends at a = 0
                keep = keep * torch.exp(-h)
            p, q = a1 * w, a1 * (1 - w / (m * h))
            v = c1 * (-torch.expm1(-2 * h)).sqrt()
        else:
            w = torch.expm1(h)
            keep = a1 / a
            p, q = -m * c1 * w, -m * c1 * (w / h - 1)
            v = c1 * torch.expm1(2 * h).sqrt()
        current = self._integrand(prediction)
        terms = [(keep, xt), (b1 - keep * b, prediction.mu),
                 (v, z if self.stochastic else None)]
        if not history:
            return combine((p, current), *terms)
        u, previous = history[0]
        q = q * h / (half_log_snr(sde, t) - half_log_snr(sde, u))
        return combine((p + q, current), (-q, self._integrand(previous)),
                       *terms)
