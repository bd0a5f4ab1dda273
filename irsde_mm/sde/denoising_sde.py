"""Denoising-SDE: IR-SDE with mu = x0 (Luo et al., 2023, section 5.4)."""
import math
from typing import Optional, Tuple

import torch
from torch import Tensor

from .base import Coefficients, Generators, Time
from .mean_reverting import MeanRevertingSDE


class DenoisingSDE(MeanRevertingSDE):
    """Process that only adds noise: ``x_t = x0 + c_t noise``.

    A noisy image is itself the state at the time t* whose c_t equals its noise
    level. Sampling starts there, and the network needs no condition: ``mu``
    may be None except in :meth:`start`, where it is the noisy image.

    Args:
        max_sigma, num_steps, schedule: See :class:`MeanRevertingSDE`.
        eps (float): a_T of the underlying mean reversion, 0.04 in the paper.
        sigma (float, optional): Default noise level of the inputs in [0, 1]
            for :meth:`start`.

    Raises:
        ValueError: If an argument is out of range.
    """

    runtime_args = ('sigma', )
    published_sampler = 'ode'
    stationary_end = False  # reverts to x0
    starts_at_noise_level = True

    def __init__(self, max_sigma: float, num_steps: int = 100,
                 schedule: str = 'cosine', eps: float = 0.04,
                 sigma: Optional[float] = None) -> None:
        super().__init__(max_sigma, num_steps, schedule, eps)
        self.input_sigma = None if sigma is None else self._level(sigma)

    def reverts_to(self, mu: Optional[Tensor]) -> Tensor:
        """Raise an error, because the process reverts to the unknown x0.

        Raises:
            ValueError: Always.
        """
        raise ValueError('DenoisingSDE reverts to the clean image, so its '
                         'end distribution is unknown.')

    def coefficients(self, t: Time) -> Coefficients:
        c = self.marginal_std(t)
        return torch.ones_like(c), torch.zeros_like(c), c

    def start_time(self, sigma: float) -> int:
        """Return t*, the time whose c_t equals the noise level of the input.

        Args:
            sigma (float): Noise level in [0, 1]; 0 gives 0, and levels from
                c_T up give T.

        Raises:
            ValueError: If the noise level exceeds ``max_sigma``.
        """
        ratio = (self._level(sigma) / self.lam)**2
        theta_bar = -0.5 * math.log(1 - ratio + 1e-6)
        return int((self.theta_bar - theta_bar).abs().argmin())

    def start(self, mu: Tensor, generator: Generators = None,
              sigma: Optional[float] = None) -> Tuple[Tensor, int]:
        """Return the noisy image itself and t*. Draw no noise.

        Raises:
            ValueError: If neither this call nor the constructor sets a noise
                level, or if the level exceeds ``max_sigma``.
        """
        sigma = self.input_sigma if sigma is None else sigma
        if sigma is None:
            raise ValueError(
                'DenoisingSDE needs the noise level of its input; pass sigma '
                'to start or set it in the config, in [0, 1], such as '
                '25 / 255.')
        return mu, self.start_time(sigma)

    def drift(self, x: Tensor, mu: Optional[Tensor], t: Time,
              x0: Optional[Tensor] = None) -> Tensor:
        """Return theta_t (x0 - x); this process reverts to x0.

        Raises:
            ValueError: If ``x0`` is missing.
        """
        if x0 is None:
            raise ValueError('the forward drift of DenoisingSDE needs x0.')
        return self.lookup_ceil(self.theta, t) * (x0 - x)

    def reverse_drift(self, xt: Tensor, mu: Optional[Tensor], score: Tensor,
                      t: Time, probability_flow: bool = False) -> Tensor:
        """Return -sigma_t^2 (1 + a^2) / 2 score, or -sigma_t^2 a^2 / 2 score
        for the probability flow.

        Here a = exp(-theta_bar_t), and x0 - x = c_t^2 score is substituted.
        """
        a2 = torch.exp(-2 * self.theta_bar_at(t))
        share = a2 if probability_flow else 1 + a2
        return -0.5 * self.diffusion(t)**2 * share * score

    def debias(self, noise: Tensor, xt: Tensor, mu: Optional[Tensor],
               t: Time) -> Tensor:
        """Return the unbiased noise for a prediction trained with the Euler
        objective.

        For this process, the bias is a pure factor (docs/paper_to_code.md).
        """
        k = self._training_step(t)
        a2 = torch.exp(-2 * self.theta_bar_at(t))
        factor = (a2 * torch.expm1(k) - torch.expm1(-k)) / (k * (1 + a2))
        return noise / factor

    def _level(self, sigma: float) -> float:
        if not 0 <= sigma <= self.lam:
            raise ValueError(
                f'the noise level {sigma * 255:.4g}/255 is outside the range '
                f'of this process, 0 to max_sigma = '
                f'{self.lam * 255:.4g}/255; train a model with a larger '
                'max_sigma.')
        return float(sigma)
