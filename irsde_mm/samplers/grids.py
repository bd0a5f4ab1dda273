"""Time grids from t_start to 0 for few-step samplers."""
import math
from typing import List

import torch
from torch import Tensor

from ..sde.base import SDE, Time
from ..sde.log_snr import half_log_snr, time_of


def uniform_grid(sde: SDE, t_start: Time, n: int) -> List[Time]:
    """Return n equal steps in t, not rounded."""
    return [t_start * (n - i) / n for i in range(n)] + [0]


def log_snr_grid(sde: SDE, t_start: Time, n: int) -> List[Time]:
    """Return n nodes from t_start to t = 1, equally spaced in L, then 0."""
    return _spaced(sde, t_start, n, torch.linspace)


def karras_grid(sde: SDE, t_start: Time, n: int, rho: float = 7) -> List[Time]:
    """Return n nodes from t_start to t = 1, equally spaced in (c/a)^(1/rho),
    then 0.

    Source: Karras et al., NeurIPS 2022, equation 5.
    """
    def spaced(first: float, last: float, n: int, **kwargs) -> Tensor:
        ends = (math.exp(-first / rho), math.exp(-last / rho))
        return -rho * torch.linspace(*ends, n, **kwargs).log()

    return _spaced(sde, t_start, n, spaced)


def _spaced(sde: SDE, t_start: Time, n: int, spaced) -> List[Time]:
    if n == 1:
        return [t_start, 0]
    if t_start <= 1:
        raise ValueError(
            f'cannot place {n} steps from t_start={t_start} on a grid whose '
            "last node before 0 is 1; use 1 step or grid='uniform'.")
    ends = half_log_snr(sde, t_start), half_log_snr(sde, 1)
    if not ends[0].isfinite():
        raise ValueError(
            f'{type(sde).__name__} has no finite log-SNR at t={t_start}, '
            "where this grid starts; use grid='uniform'.")
    levels = spaced(*map(float, ends), n, dtype=torch.float64,
                    device=ends[0].device)
    return [t_start, *time_of(sde, levels[1:-1]).tolist(), 1, 0]


GRIDS = dict(log_snr=log_snr_grid, uniform=uniform_grid, karras=karras_grid)
