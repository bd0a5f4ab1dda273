"""Base class of IR-SDE, GOUB and the Denoising-SDE."""
import math

from .ornstein_uhlenbeck import OrnsteinUhlenbeckSDE
from .schedules import SCHEDULES


class MeanRevertingSDE(OrnsteinUhlenbeckSDE):
    """Mean-reverting SDE dx = theta_t (mu - x) dt + sigma_t dw with
    sigma_t^2 = 2 lam^2 theta_t.

    Source: Luo et al., ICML 2023, equations 3 to 6. theta_bar, the integral of
    theta, is linear between integer times; theta and sigma are constant within
    each step.

    Args:
        max_sigma (float): lam, the stationary standard deviation, in (0, 1]
            (image units; 10 in the papers is ``10 / 255``).
        num_steps (int): T.
        schedule (str): 'cosine', 'linear' or 'constant'.
        eps (float): Fraction of x0 that remains at T, a_T for IR-SDE, in
            (0, 1).

    Raises:
        ValueError: If an argument is out of range.

    Attributes:
        theta, theta_bar, sigma, std (Tensor): Tables (T+1,); std is c_t.
        dt (float): Length of a training step.
        lam (float): Alias of ``max_sigma`` in the paper's notation.
    """

    def __init__(self, max_sigma: float, num_steps: int = 100,
                 schedule: str = 'cosine', eps: float = 0.005) -> None:
        super().__init__(num_steps)
        if not 0 < max_sigma <= 1:
            raise ValueError('max_sigma must be in (0, 1] (10 gray levels '
                             f'are 10 / 255), but got {max_sigma}.')
        if not 0 < eps < 1:
            raise ValueError(f'eps must be in (0, 1), but got {eps}.')
        if schedule not in SCHEDULES:
            raise ValueError(f'unknown schedule {schedule!r}; choose one of '
                             f'{", ".join(SCHEDULES)}.')
        self.max_sigma = float(max_sigma)
        self.schedule = schedule
        self.eps = float(eps)
        theta = SCHEDULES[schedule](num_steps)
        self._tabulate(self.max_sigma, theta,
                       -math.log(eps) / float(theta[1:].sum()))

    @classmethod
    def example(cls, num_steps: int = 100,
                **kwargs) -> 'MeanRevertingSDE':
        return cls(num_steps=num_steps, **dict(dict(max_sigma=0.3), **kwargs))

    def extra_repr(self) -> str:
        return (f'max_sigma={self.max_sigma * 255:.4g}/255, '
                f'{super().extra_repr()}, schedule={self.schedule!r}, '
                f'eps={self.eps:g}')
