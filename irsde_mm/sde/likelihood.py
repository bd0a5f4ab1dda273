"""Likelihood bounds of a process with a noise predictor."""
import math
from typing import Callable, Sequence

import torch
from torch import Tensor

from .base import SDE, Time, draw_noise
from .log_snr import FIRST_TIME, draw_log_snr_times, log_snr_range
from .ornstein_uhlenbeck import OrnsteinUhlenbeckSDE


def require_stationary_end(sde: SDE, what: str) -> None:
    """Check that a process ends in a known distribution.

    Args:
        sde (SDE): The process.
        what (str): Name of the caller, for the error message.

    Raises:
        ValueError: If the end distribution is unknown.
    """
    if not sde.stationary_end:
        raise ValueError(f'{what} needs a process with a known distribution '
                         f'at T, but {type(sde).__name__} has none; use IRSDE '
                         'or VPSDE.')


def likelihood_bound(sde: OrnsteinUhlenbeckSDE,
                     noise_fn: Callable[[Tensor, Time], Tensor], x0: Tensor,
                     mu: Tensor, num_times: int,
                     generator: torch.Generator) -> Tensor:
    """Estimate an upper bound on -ln p(x0 | mu), in nats.

    The density is that of the reverse SDE from N(m, lam^2) at T to t = 1,
    followed by N((x_1 - b mu) / a, c^2 / a^2). The bound is derived in
    docs/likelihood.md from Song et al., NeurIPS 2021, theorem 1 and its
    discussion of the smallest time. The estimate is unbiased.

    Args:
        sde: A process that ends in a known distribution.
        noise_fn: ``(xt, t) -> noise``, the conditioned network; t is (1,).
        x0, mu (Tensor): One clean and one degraded image (1, C, H, W) in the
            range of the process.
        num_times (int): Number of network calls, at times uniform in log-SNR.
        generator (torch.Generator): On the device of the images.

    Returns:
        Tensor: The bound, 0-d.

    Raises:
        ValueError: If the end distribution of the process is unknown, or if
            its state at T contains no x0.
    """
    require_stationary_end(sde, 'a likelihood')
    d, T = x0.numel(), sde.num_steps
    mean = sde.reverts_to(mu)
    distance = (x0 if mean is None else x0 - mean).square().sum()
    (a, _, c), (_, _, c1) = sde.coefficients(T), sde.coefficients(FIRST_TIME)
    error = torch.zeros_like(distance)
    for t in draw_log_snr_times(sde, num_times, generator).split(1):
        noise = draw_noise(x0, generator)
        predicted = noise_fn(sde.perturb(x0, mu, t, noise), t)
        error += (predicted - noise).square().sum() / num_times
    return (d / 2 * math.log(2 * math.pi * sde.lam**2)
            + (a**2 * distance + d * c**2) / (2 * sde.lam**2)
            - d * (c / c1).log()
            + log_snr_range(sde) / 2 * error
            + d * sde.theta_bar_at(FIRST_TIME))


def bits_per_dim(sde: OrnsteinUhlenbeckSDE,
                 noise_fn: Callable[[Tensor, Tensor, Time], Tensor],
                 x0: Tensor, mu: Tensor, num_times: int,
                 generators: Sequence[torch.Generator]) -> Tensor:
    """Estimate a bound on -log2 P(x0 | mu) per pixel and channel of 8-bit
    images.

    Uniform dequantization noise is added to the images. The mean bound on the
    density is then a bound on the probability (Theis et al., ICLR 2016).

    Args:
        sde: A process that ends in a known distribution.
        noise_fn: ``(xt, mu, t) -> noise``.
        x0, mu (Tensor): Clean and degraded images (B, C, H, W) in [0, 1].
        num_times (int): Number of network calls per image.
        generators: One per image, on the device of the images.

    Returns:
        Tensor: Bits per dimension (B,).

    Raises:
        ValueError: See :func:`likelihood_bound`.
    """
    black, next_gray = sde.from_image(x0.new_tensor([0, 1 / 255]))
    bits = []
    for clean, degraded, g in zip(x0.split(1), mu.split(1), generators):
        spread = torch.rand(clean.shape, generator=g, dtype=clean.dtype,
                            device=clean.device) - 0.5
        clean, degraded = map(sde.from_image, (clean + spread / 255, degraded))
        nats = likelihood_bound(
            sde, lambda xt, t, mu=degraded: noise_fn(xt, mu, t), clean,
            degraded, num_times, g)
        bits.append(nats / clean.numel() / math.log(2)
                    - (next_gray - black).log2())
    return torch.stack(bits)
