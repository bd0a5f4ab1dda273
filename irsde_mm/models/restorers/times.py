"""When a network is trained: the times that are drawn."""
import torch
from torch import Tensor, nn

from ...errors import ConfigError
from ...sde import SDE
from ...sde.log_snr import draw_log_snr_times, log_snr_range

TIMESTEPS = ('discrete', 'continuous', 'log_snr')


def check_times(timesteps: str, sde: SDE, loss: nn.Module) -> None:
    """Stops times that are unknown, or weighed otherwise than drawn.

    Raises:
        ConfigError: Saying what to change.
        ValueError: If the log-SNR of the process has no end.
    """
    if timesteps not in TIMESTEPS:
        raise ConfigError('timesteps has to be one of '
                          f'{", ".join(TIMESTEPS)}, but is {timesteps!r}.')
    log_snr = timesteps == 'log_snr'
    if log_snr:
        log_snr_range(sde)
    if getattr(loss, 'importance', log_snr) != log_snr:
        raise ConfigError(
            f'timesteps={timesteps!r} needs LikelihoodLoss(importance='
            f'{log_snr}): times have to be weighed as they are drawn.')


def draw_times(timesteps: str, sde: SDE, n: int,
               device: torch.device) -> Tensor:
    """Times (n,), whole or fractional."""
    T = sde.num_steps
    if timesteps == 'log_snr':
        return draw_log_snr_times(sde, n)
    if timesteps == 'continuous':
        return T * (1 - torch.rand(n, device=device))
    return torch.randint(1, T + 1, (n, ), device=device)
