"""Processes that shift the clean image toward the degraded one."""
from typing import Optional, Tuple

import torch
from torch import Tensor

from .base import SDE, Coefficients, Generators, Time, combine, draw_noise


class RDDM(SDE):
    """Residual denoising diffusion model (RDDM).

    ``x_t = x0 + abar_t (mu - x0) + bbar_t noise``. abar rises to 1 in linearly
    decreasing steps, and bbar^2 rises to ``sum_scale`` in linearly increasing
    steps. The state at T contains only the degraded image and noise. Images
    are in [-1, 1]. Between integer times, abar and bbar^2 are interpolated
    linearly.

    Source: Liu et al., "Residual Denoising Diffusion Models", CVPR 2024, with
    the settings for image restoration. The published eta multiplies the
    variance; the eta of :meth:`SDE.jump` is its square root.

    Args:
        num_steps (int): T.
        sum_scale (float): bbar_T^2, in (0, 1].

    Raises:
        ValueError: If an argument is out of range.
    """

    published_sampler = 'jump'
    published_clamp = (-1., 1.)
    signal_at_end = False

    shift: Tensor
    variance: Tensor

    def __init__(self, num_steps: int = 20, sum_scale: float = 0.01) -> None:
        super().__init__(num_steps)
        if not 0 < sum_scale <= 1:
            raise ValueError('sum_scale must be in (0, 1], but got '
                             f'{sum_scale}.')
        self.sum_scale = float(sum_scale)
        # Sum the steps as integers before dividing, so the end is exact.
        steps = torch.arange(num_steps + 1, dtype=torch.float64)
        whole = num_steps * (num_steps + 1) / 2
        shrinking = (steps * num_steps - steps * (steps - 1) / 2) / whole
        growing = steps * (steps + 1) / 2 / whole
        self.keep_table('shift', shrinking)
        self.keep_table('variance', sum_scale * growing)

    def from_image(self, image: Tensor) -> Tensor:
        """Map [0, 1] to [-1, 1]."""
        return 2 * image - 1

    def to_image(self, x: Tensor) -> Tensor:
        """Map [-1, 1] to [0, 1]."""
        return (x + 1) / 2

    def coefficients(self, t: Time) -> Coefficients:
        b = self.lookup(self.shift, t)
        return 1 - b, b, self.lookup(self.variance, t).sqrt()

    def retention(self, t: Time, s: Time) -> Tensor:
        """Return A(t, s) = 1, because the noise of the steps accumulates."""
        return torch.ones_like(self.coefficients(t)[0]
                               + self.coefficients(s)[0])

    def start(self, mu: Tensor, generator: Generators = None,
              sigma: Optional[float] = None) -> Tuple[Tensor, int]:
        """Return mu + c_T noise and T. Ignore ``sigma``."""
        c = self.coefficients(self.num_steps)[2]
        return combine((1, mu), (c, draw_noise(mu, generator))), \
            self.num_steps

    def extra_repr(self) -> str:
        return f'{super().extra_repr()}, sum_scale={self.sum_scale:g}'
