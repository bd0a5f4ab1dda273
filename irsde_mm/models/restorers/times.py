"""Training times, and checks of times and objective against the process."""
from typing import Optional

import torch
from torch import Tensor, nn

from ...errors import ConfigError
from ...sde import SDE, EulerForm, Output
from ...sde.likelihood import require_stationary_end
from ...sde.log_snr import draw_log_snr_times, log_snr_range

TIMESTEPS = ('discrete', 'late', 'continuous', 'log_snr')


def check_objective(loss: Optional[nn.Module], sde: SDE) -> None:
    """Check that a process supports an objective.

    Raises:
        ConfigError: If the objective needs an Euler form or noise and the
            process has none.
        ValueError: If the objective needs a known end distribution and the
            process has none.
    """
    for part in getattr(loss, 'losses', [loss]):
        if getattr(part, 'needs_euler_form', False) and not isinstance(
                sde, EulerForm):
            raise ConfigError(
                f'{type(part).__name__} takes Euler steps, but '
                f'{type(sde).__name__} has no Euler form; use OutputLoss or '
                'MaximumLikelihoodLoss(exact=True).')
        if getattr(part, 'needs_noise', False) and not sde.has_noise:
            raise ConfigError(
                f'{type(part).__name__} compares noise, but this '
                f'{type(sde).__name__} has none; use OutputLoss.')
        if getattr(part, 'needs_stationary_end', False):
            require_stationary_end(sde, type(part).__name__)


def check_output(loss: Optional[nn.Module], output: Output) -> None:
    """Check that an output supports an objective.

    Raises:
        ConfigError: If the objective compares estimates of x0, and those of
            the output are divided by a_t.
    """
    for part in getattr(loss, 'losses', [loss]):
        if getattr(part, 'needs_clean_estimate', False) \
                and output.needs_signal:
            raise ConfigError(
                f'{type(part).__name__} compares estimates of x0, but '
                f'{type(output).__name__} divides them by a_t, which is close '
                'to 0 at T; use CleanOutput(residual=True).')


def check_times(timesteps: str, sde: SDE,
                loss: Optional[nn.Module]) -> None:
    """Check the distribution of training times.

    Raises:
        ConfigError: If ``timesteps`` is unknown or does not match the weights
            of the objective.
        ValueError: If 'log_snr' is set and the process has no known end
            distribution or no finite log-SNR at T.
    """
    if timesteps not in TIMESTEPS:
        raise ConfigError('timesteps must be one of '
                          f'{", ".join(TIMESTEPS)}, but got {timesteps!r}.')
    log_snr = timesteps == 'log_snr'
    if log_snr:
        require_stationary_end(sde, "timesteps='log_snr'")
        log_snr_range(sde)
    if getattr(loss, 'importance', log_snr) != log_snr:
        raise ConfigError(
            f'timesteps={timesteps!r} needs LikelihoodLoss(importance='
            f'{log_snr}), because the weights must match the distribution of '
            'times.')


def draw_times(timesteps: str, sde: SDE, output: Output, n: int,
               device: torch.device) -> Tensor:
    """Draw training times (n,), integer or fractional.

    T is excluded if the output does not determine x0 there, because the state
    at T contains neither x0 nor noise (GOUB: t ~ U{1..T-1}).
    """
    T = sde.num_steps
    if timesteps == 'log_snr':
        return draw_log_snr_times(sde, n)
    if output.needs_signal and not (sde.signal_at_end or sde.noise_at_end):
        T -= 1
    if timesteps == 'late':  # the density is proportional to t
        return (T * (1 - torch.rand(n, device=device)).sqrt()).ceil().long()
    if timesteps == 'continuous':
        return T * (1 - torch.rand(n, device=device))
    return torch.randint(1, T + 1, (n, ), device=device)
