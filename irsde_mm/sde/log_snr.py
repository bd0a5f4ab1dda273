"""Signal to noise along a process: the other way to say when."""
from typing import Optional

import torch
from torch import Tensor

from .base import SDE, Time

#: The training step that the integral over the log-SNR begins at: from it on
#: to 0 the SNR grows without bound.
FIRST_TIME = 1


def half_log_snr(sde: SDE, t: Time) -> Tensor:
    """L = ln(a_t / c_t), which grows from T to 0, where it is infinite.

    Returns:
        A 0-d tensor for a number, (B,) for a tensor (B,).
    """
    a, _, c = sde.coefficients(t)
    level = (a / c).log()
    return level.flatten() if level.ndim else level


def time_of(sde: SDE, level: Tensor) -> Tensor:
    """The times at which the half log-SNR has given values.

    Every round lays 64 intervals over the one that holds the time and keeps
    one of them, for any process whose signal-to-noise ratio falls with t.

    Args:
        sde (SDE): The process.
        level (Tensor): Values of L (N,).

    Returns:
        Tensor: Times (N,) in [0, T], exact to T / 64^6.
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
    """Times (n,) whose log-SNR is uniform between those of t = 1 and T.

    With F = ln(c^2 / (lam a)^2) = ln(e^(2 theta_bar) - 1) that is theta_bar =
    ln(1 + e^F) / 2 with F uniform (Song et al., NeurIPS 2021, importance
    sampling, on a process that reverts to its mean). One draw falls in each
    of n equal parts, in random order, which leaves every time as likely and
    the mean of n less to chance.

    Args:
        generator (torch.Generator, optional): On the process' device.
    """
    first, last = (half_log_snr(sde, t) for t in (sde.num_steps, FIRST_TIME))
    options = dict(generator=generator, device=first.device)
    place = torch.randperm(n, **options) + torch.rand(n, **options)
    return time_of(sde, first + (last - first) * place / n).to(first.dtype)


def log_snr_range(sde: SDE) -> Tensor:
    """Z = F_T - F_1, twice the distance in ln(a / c) between t = 1 and T.

    Raises:
        ValueError: If the process has no log-SNR at T, because nothing of x0
            or no noise is left there.
    """
    z = 2 * (half_log_snr(sde, FIRST_TIME)
             - half_log_snr(sde, sde.num_steps))
    if not z.isfinite():
        raise ValueError(f'{type(sde).__name__} has no finite log-SNR at T '
                         '(a_T or c_T is 0), so times cannot be drawn '
                         'uniformly in it; choose another process or '
                         'schedule.')
    return z
