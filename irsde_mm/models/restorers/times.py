"""Times of training, and what they and the objective need of a process."""
from typing import Optional

import torch
from torch import Tensor, nn

from ...errors import ConfigError
from ...sde import SDE, EulerForm, Output
from ...sde.likelihood import require_stationary_end
from ...sde.log_snr import draw_log_snr_times, log_snr_range

TIMESTEPS = ('discrete', 'continuous', 'log_snr')


def check_objective(loss: Optional[nn.Module], sde: SDE) -> None:
    """Refuses an objective that the process has no form for.

    Raises:
        ConfigError: Saying what to use.
        ValueError: If the process ends at no known distribution.
    """
    if getattr(loss, 'needs_euler_form', False) and not isinstance(
            sde, EulerForm):
        raise ConfigError(
            f'{type(loss).__name__} takes Euler steps, and '
            f'{type(sde).__name__} has no Euler form; use OutputLoss, or '
            'MaximumLikelihoodLoss(exact=True).')
    if getattr(loss, 'needs_stationary_end', False):
        require_stationary_end(sde, type(loss).__name__)


def check_times(timesteps: str, sde: SDE,
                loss: Optional[nn.Module]) -> None:
    """Refuses times that are unknown, or not weighted as they are drawn.

    Raises:
        ConfigError: Saying what to change.
        ValueError: If the log-SNR of the process has no end.
    """
    if timesteps not in TIMESTEPS:
        raise ConfigError('timesteps must be one of '
                          f'{", ".join(TIMESTEPS)}, but is {timesteps!r}.')
    log_snr = timesteps == 'log_snr'
    if log_snr:
        log_snr_range(sde)
    if getattr(loss, 'importance', log_snr) != log_snr:
        raise ConfigError(
            f'timesteps={timesteps!r} needs LikelihoodLoss(importance='
            f'{log_snr}): times must be weighted as they are drawn.')


def draw_times(timesteps: str, sde: SDE, output: Output, n: int,
               device: torch.device) -> Tensor:
    """Times (n,), whole or fractional.

    Where the output says nothing about x0 at T, because nothing of it and no
    noise are left there, T is not drawn (GOUB: t ~ U{1..T-1}).
    """
    T = sde.num_steps
    if timesteps == 'log_snr':
        return draw_log_snr_times(sde, n)
    if output.needs_signal and not (sde.signal_at_end or sde.noise_at_end):
        T -= 1
    if timesteps == 'continuous':
        return T * (1 - torch.rand(n, device=device))
    return torch.randint(1, T + 1, (n, ), device=device)
