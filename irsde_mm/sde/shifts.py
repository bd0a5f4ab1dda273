"""Processes that shift the clean image toward the degraded one."""
import math
from typing import Optional, Tuple

import torch
from torch import Tensor

from .base import (SDE, Coefficients, Generators, Time, combine, draw_noise,
                   nonzero)
from .ends import refuse_start_noise
from .ranges import SymmetricRange


class ShiftSDE(SymmetricRange, SDE):
    """Process that shifts x0 toward mu while noise accumulates.

    ``x_t = (1 - b_t) x0 + b_t mu + c_t noise`` with retention A(t, s) = 1.
    Images are in [-1, 1].
    """

    published_clamp = (-1., 1.)

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


class RDDM(ShiftSDE):
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

    def extra_repr(self) -> str:
        return f'{super().extra_repr()}, sum_scale={self.sum_scale:g}'


class ResShift(ShiftSDE):
    """Residual shifting: b_t = eta_t and c_t = kappa sqrt(eta_t).

    sqrt(eta) rises from min(min_noise / kappa, min_noise) at t = 1 to
    ``etas_end`` at T; its logarithm is linear in ((t - 1) / (T - 1))^power.
    Between integer times, eta is linear. The network input is divided by
    3 kappa sqrt(eta) + 1 for images, or by sqrt(kappa^2 eta + 1) for latents.

    Source: Yue et al., "ResShift: Efficient Diffusion Model for Image
    Super-resolution by Residual Shifting", NeurIPS 2023; the schedule's
    start and the input scales are those of the published implementation.

    Args:
        num_steps (int): T.
        kappa (float): Ratio c_t / sqrt(eta_t), > 0.
        power (float): Exponent of the schedule, > 0; larger values shift
            later.
        min_noise (float): Upper bound of c_1, > 0.
        etas_end (float): sqrt(eta_T), in (0, 1].
        latent (bool): Whether the images are latents of unit variance, which
            changes only the input scale.

    Raises:
        ValueError: If an argument is out of range, or the schedule does not
            rise.
    """

    published_sampler = 'posterior'

    eta: Tensor

    def __init__(self, num_steps: int = 15, kappa: float = 2.0,
                 power: float = 0.3, min_noise: float = 0.04,
                 etas_end: float = 0.99, latent: bool = False) -> None:
        super().__init__(num_steps)
        for name, value in (('kappa', kappa), ('power', power),
                            ('min_noise', min_noise)):
            if not 0 < value < math.inf:
                raise ValueError(f'{name} must be positive, but got {value}.')
        if not 0 < etas_end <= 1:
            raise ValueError('etas_end must be in (0, 1], but got '
                             f'{etas_end}.')
        first = min(min_noise / kappa, min_noise)
        if num_steps > 1 and not first < etas_end:
            raise ValueError(
                f'sqrt(eta) does not rise from {first:.4g} (min_noise='
                f'{min_noise}, kappa={kappa}) to etas_end={etas_end}; choose '
                'a smaller min_noise.')
        self.kappa, self.power = float(kappa), float(power)
        self.min_noise, self.etas_end = float(min_noise), float(etas_end)
        self.latent = latent
        self.signal_at_end = etas_end < 1
        steps = torch.arange(num_steps, dtype=torch.float64)
        share = steps / (num_steps - 1) if num_steps > 1 else steps + 1
        roots = first * (etas_end / first)**share**power
        self.keep_table('eta', torch.cat((steps.new_zeros(1), roots**2)))

    def coefficients(self, t: Time) -> Coefficients:
        b = self.lookup(self.eta, t)
        return 1 - b, b, self.kappa * b.sqrt()

    def input_scale(self, t: Time) -> Tensor:
        """Return 1 / (3 c_t + 1), which maps most states to [-1, 1], or
        1 / sqrt(c_t^2 + 1) for latents."""
        c = self.coefficients(t)[2]
        return (c**2 + 1).rsqrt() if self.latent else 1 / (3 * c + 1)

    def extra_repr(self) -> str:
        return (f'{super().extra_repr()}, kappa={self.kappa:g}, '
                f'power={self.power:g}, min_noise={self.min_noise:g}, '
                f'etas_end={self.etas_end:g}, latent={self.latent}')


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
        self.starts_in_mu = not self.noise_at_end
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
        refuse_start_noise(self, sigma)
        noise = draw_noise(mu, generator) if self.noise_at_end else None
        c = self.coefficients(self.num_steps)[2]
        return combine((1, mu), (c, noise)), self.num_steps

    def extra_repr(self) -> str:
        return (f'sigma={self.sigma * 255:.4g}/255, {super().extra_repr()}, '
                f'bridge={self.bridge}')
