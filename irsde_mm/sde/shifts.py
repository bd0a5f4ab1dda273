"""Processes that shift the clean image toward the degraded one."""
from typing import Optional, Tuple

import torch
from torch import Tensor

from .base import (SDE, Coefficients, Generators, Time, combine, draw_noise,
                   nonzero)
from .ends import refuse_start_noise
from .ranges import SymmetricRange


class RDDM(SymmetricRange, SDE):
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


class StraightSDE(SDE):
    """Straight process between the clean and the degraded image.

    ``x_t = (1 - u) x0 + u mu + c_t noise`` with u = t / T. c_t = sigma u, so
    the states of one path lie on the line from x0 to mu + sigma noise, and
    c_0 = 0; a constant c_t would leave noise in the result. For a bridge,
    which also ends in mu itself, c_t = sigma sqrt(u (1 - u)).

    The retention is A(t, s) = a_t / a_s = (T - t) / (T - s), with which the
    forward transition does not depend on x0: the process is the diffusion
    dx = (mu - x) / (T - t) dt + g dw with g^2 = 2 sigma^2 t / (T (T - t)), or
    sigma^2 / T for the Brownian bridge. a_t / c_t falls with t, so
    A c_s <= c_t, and no variance is negative.

    A jump with eta = 0 is an Euler step x_s = x_t + (s - t) v of the flow
    dx / dt = v, except for a bridge, whose c_t is curved. Without noise, it is
    the same step, because :meth:`predict_end` follows the state.

    Source: Liu et al., "Flow Straight and Fast", ICLR 2023 (rectified flow);
    Ohayon et al., "Posterior-Mean Rectified Flow", ICLR 2025, where mu is the
    result of a regression network (``RefiningRestorer``); Delbracio and
    Milanfar, TMLR 2023, for sigma = 0.

    Args:
        sigma (float): Standard deviation of the noise at T, or 2 c_(T/2) of a
            bridge, in [0, 1] (image units). 0 is a process without noise,
            which starts in mu.
        num_steps (int): T.
        bridge (bool): Whether the process ends in mu without noise.

    Raises:
        ValueError: If an argument is out of range.
    """

    published_sampler = 'jump'
    signal_at_end = False

    share: Tensor

    def __init__(self, sigma: float = 0.0, num_steps: int = 100,
                 bridge: bool = False) -> None:
        super().__init__(num_steps)
        if not 0 <= sigma <= 1:
            raise ValueError('sigma must be in [0, 1] (10 gray levels are '
                             f'10 / 255), but got {sigma}.')
        self.sigma = float(sigma)
        self.bridge = bridge
        self.has_noise = sigma > 0
        self.noise_at_end = self.has_noise and not bridge
        self.keep_table('share', torch.arange(
            num_steps + 1, dtype=torch.float64) / num_steps)

    @classmethod
    def example(cls, num_steps: int = 100, **kwargs) -> 'StraightSDE':
        return cls(num_steps=num_steps, **dict(dict(sigma=0.3), **kwargs))

    def coefficients(self, t: Time) -> Coefficients:
        b = self.lookup(self.share, t)
        curve = (b * (1 - b)).sqrt() if self.bridge else b
        return 1 - b, b, self.sigma * curve

    def velocity(self, t: Time) -> Coefficients:
        """Return the derivatives (a', b', c').

        At the ends of a bridge, where c' is infinite, it is 0, the mean of
        c' noise for a state that does not contain the noise.
        """
        b = self.lookup(self.share, t)
        rate = torch.full_like(b, 1 / self.num_steps)
        slope = torch.ones_like(b)
        if self.bridge:
            slope = (1 - 2 * b) / (2 * nonzero((b * (1 - b)).sqrt()))
        return -rate, rate, self.sigma * slope * rate

    def forward_std(self, t: Time) -> Tensor:
        """Return c_t, or sigma sqrt(t / T) for the Brownian motion of a
        bridge."""
        if self.bridge:
            return self.sigma * self.lookup(self.share, t).sqrt()
        return self.coefficients(t)[2]

    def predict_end(self, xt: Tensor, mu: Tensor, x0: Tensor,
                    t: Time) -> Tensor:
        """Return mu, or, without noise, the end of the line from x0 through
        the state."""
        if self.has_noise:
            return mu
        a, b, _ = self.coefficients(t)
        return combine((1, xt), (-a, x0)).div_(nonzero(b))

    def start(self, mu: Tensor, generator: Generators = None,
              sigma: Optional[float] = None) -> Tuple[Tensor, int]:
        """Return mu + c_T noise, or mu if c_T = 0, and T. Otherwise ignore
        the argument ``sigma``.

        Raises:
            ValueError: If ``sigma`` is given and not 0, but c_T = 0.
        """
        if not self.noise_at_end:
            refuse_start_noise(self, sigma)
        noise = draw_noise(mu, generator) if self.noise_at_end else None
        c = self.coefficients(self.num_steps)[2]
        return combine((1, mu), (c, noise)), self.num_steps

    def extra_repr(self) -> str:
        return (f'sigma={self.sigma * 255:.4g}/255, {super().extra_repr()}, '
                f'bridge={self.bridge}')
