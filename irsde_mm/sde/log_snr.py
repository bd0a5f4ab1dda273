"""Log signal-to-noise ratio of a process and its inverse."""
from typing import Optional

import torch
from torch import Tensor

from .base import SDE, Time

#: First training time in integrals over the log-SNR; between it and 0, the
#: SNR grows without bound.
FIRST_TIME = 1


def half_log_snr(sde: SDE, t: Time) -> Tensor:
    """Return L = ln(a_t / c_t), which increases from T to 0, where it is
    infinite.

    Returns:
        A 0-d tensor for a number, (B,) for a tensor (B,).
    """
    a, _, c = sde.coefficients(t)
    level = (a / c).log()
    return level.flatten() if level.ndim else level


def time_of(sde: SDE, level: Tensor) -> Tensor:
    """Return the times at which the half log-SNR has the given values.

    Each round splits the current interval into 64 parts and keeps the part
    that contains the time. Works for any process whose signal-to-noise ratio
    decreases with t.

    Args:
        sde (SDE): The process.
        level (Tensor): Values of L (N,).

    Returns:
        Tensor: Times (N,) in [0, T], accurate to T / 64^6.
    """
    level = level.double()[:, None]
    share = torch.arange(65, dtype=torch.float64, device=level.device) / 64
    low, width = torch.zeros_like(level), float(sde.num_steps)
    for _ in range(6):
        t = (low + width * share).clamp_max(sde.num_steps)
        above = half_log_snr(sde, t.flatten()).view(t.shape) >= level
        k = (above.sum(1, keepdim=True) - 1).clamp(0, 63)
        low, width = low + k * width / 64, width / 64
    return (low + width / 2).clamp_max(sde.num_steps).flatten()


def draw_log_snr_times(sde: SDE, n: int, generator: Optional[
        torch.Generator] = None) -> Tensor:
    """Draw times (n,) with log-SNR uniform between those of t = 1 and T.

    With F = ln(c^2 / (lam a)^2) = ln(e^(2 theta_bar) - 1), this is theta_bar =
    ln(1 + e^F) / 2 with F uniform (importance sampling of Song et al., NeurIPS
    2021, applied to a mean-reverting process). Sampling is stratified: each of
    n equal parts receives one draw, in random order, which preserves the
    distribution of each time and reduces the variance of the mean.

    Args:
        generator (torch.Generator, optional): On the device of the process.
    """
    first, last = (half_log_snr(sde, t) for t in (sde.num_steps, FIRST_TIME))
    options = dict(generator=generator, device=first.device)
    place = torch.randperm(n, **options) + torch.rand(n, **options)
    return time_of(sde, first + (last - first) * place / n).to(first.dtype)


def log_snr_range(sde: SDE) -> Tensor:
    """Return Z = F_T - F_1, twice the difference of ln(a / c) between t = 1
    and T.

    Raises:
        ValueError: If the log-SNR at T is not finite, because the state at T
            contains no x0 or no noise.
    """
    z = 2 * (half_log_snr(sde, FIRST_TIME)
             - half_log_snr(sde, sde.num_steps))
    if not z.isfinite():
        raise ValueError(f'{type(sde).__name__} has no finite log-SNR at T '
                         '(a_T or c_T is 0), so times cannot be drawn '
                         'uniformly in it; choose another process or '
                         'schedule.')
    return z
