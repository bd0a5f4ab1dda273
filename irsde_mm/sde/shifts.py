"""Processes that shift the clean image towards the degraded one."""
from typing import Optional, Tuple

import torch
from torch import Tensor

from .base import SDE, Coefficients, Generators, Time, combine, draw_noise


class RDDM(SDE):
    """x_t = x0 + abar_t (mu - x0) + bbar_t noise.

    abar rises to 1 in steps that shrink linearly, bbar^2 to ``sum_scale`` in
    steps that grow linearly. Nothing of x0 is left at T; the degraded image
    and noise are. Images are in [-1, 1]. Between whole times abar and bbar^2
    are linear.

    Source: Liu et al., "Residual Denoising Diffusion Models", CVPR 2024, in
    the setting of image restoration. The published eta multiplies the
    variance; that of :meth:`SDE.jump` is its square root.

    Args:
        num_steps (int): T.
        sum_scale (float): bbar_T^2, in (0, 1].

    Raises:
        ValueError: If an argument is out of its range.
    """

    published_sampler = 'jump'
    published_clamp = (-1., 1.)
    signal_at_end = False

    shift: Tensor
    variance: Tensor

    def __init__(self, num_steps: int = 20, sum_scale: float = 0.01) -> None:
        super().__init__(num_steps)
        if not 0 < sum_scale <= 1:
            raise ValueError('sum_scale must lie in (0, 1], but is '
                             f'{sum_scale}.')
        self.sum_scale = float(sum_scale)
        # exact at T: the steps add up to a whole number before they are
        # divided by it
        steps = torch.arange(num_steps + 1, dtype=torch.float64)
        whole = num_steps * (num_steps + 1) / 2
        shrinking = (steps * num_steps - steps * (steps - 1) / 2) / whole
        growing = steps * (steps + 1) / 2 / whole
        self.keep_table('shift', shrinking)
        self.keep_table('variance', sum_scale * growing)

    def from_image(self, image: Tensor) -> Tensor:
        """[0, 1] -> [-1, 1]."""
        return 2 * image - 1

    def to_image(self, x: Tensor) -> Tensor:
        """[-1, 1] -> [0, 1]."""
        return (x + 1) / 2

    def coefficients(self, t: Time) -> Coefficients:
        b = self.lookup(self.shift, t)
        return 1 - b, b, self.lookup(self.variance, t).sqrt()

    def retention(self, t: Time, s: Time) -> Tensor:
        """A(t, s) = 1: the noise of the steps adds up."""
        return torch.ones_like(self.coefficients(t)[0]
                               + self.coefficients(s)[0])

    def start(self, mu: Tensor, generator: Generators = None,
              sigma: Optional[float] = None) -> Tuple[Tensor, int]:
        """mu + c_T noise, T. ``sigma`` is ignored."""
        c = self.coefficients(self.num_steps)[2]
        return combine((1, mu), (c, draw_noise(mu, generator))), \
            self.num_steps

    def extra_repr(self) -> str:
        return f'{super().extra_repr()}, sum_scale={self.sum_scale:g}'
