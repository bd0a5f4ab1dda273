"""How fast a state forgets: theta_t of IR-SDE, beta_t of VPSDE.

The thetas are T+1 float64 values; entry 0 is never walked over (theta_bar_0 =
0). Source: Luo et al., ICML 2023, section 4.1 and its published
implementation. The betas are those of the steps 1 to T, T float64 values in
(0, 1]. Source: Ho et al., NeurIPS 2020, and the implementations of SR3.
"""
import math

import torch
from torch import Tensor


def constant_theta(num_steps: int) -> Tensor:
    """The same speed at all times: ones (T+1,)."""
    return torch.ones(num_steps + 1, dtype=torch.float64)


def linear_theta(num_steps: int) -> Tensor:
    """A linear rise from 1e-4 k to 2e-2 k with k = 1000/(T+1), (T+1,)."""
    k = 1000 / (num_steps + 1)
    return torch.linspace(1e-4 * k, 2e-2 * k, num_steps + 1,
                          dtype=torch.float64)


def cosine_theta(num_steps: int) -> Tensor:
    """One minus the flipped cosine of Nichol and Dhariwal (2021), (T+1,)."""
    n = num_steps + 2
    j = torch.arange(n + 1, dtype=torch.float64)
    A = torch.cos((j / n + 0.008) / 1.008 * math.pi / 2)**2
    return 1 - A[1:-1] / A[0]


SCHEDULES = dict(constant=constant_theta, linear=linear_theta,
                 cosine=cosine_theta)


def linear_betas(num_steps: int, first: float, last: float) -> Tensor:
    """A linear rise from first to last."""
    return torch.linspace(first, last, num_steps, dtype=torch.float64)


def quadratic_betas(num_steps: int, first: float, last: float) -> Tensor:
    """Roots that rise linearly."""
    return linear_betas(num_steps, first**0.5, last**0.5)**2


def warmup_betas(num_steps: int, first: float, last: float,
                 share: float) -> Tensor:
    """A linear rise during a share of the steps, then constant."""
    betas = constant_betas(num_steps, first, last)
    rise = int(num_steps * share)
    betas[:rise] = linear_betas(rise, first, last)
    return betas


def constant_betas(num_steps: int, first: float, last: float) -> Tensor:
    """The last value at all times."""
    return torch.full((num_steps, ), last, dtype=torch.float64)


def jsd_betas(num_steps: int, first: float, last: float) -> Tensor:
    """1/T, 1/(T-1), ..., 1: alpha_bar falls linearly to 0 (Sohl-Dickstein et
    al., ICML 2015). ``first`` and ``last`` are ignored."""
    return 1 / torch.linspace(num_steps, 1, num_steps, dtype=torch.float64)


def cosine_betas(num_steps: int, first: float, last: float) -> Tensor:
    """alpha_bar is a squared cosine (Nichol and Dhariwal, ICML 2021), betas at
    most 0.999. ``first`` and ``last`` are ignored."""
    j = torch.arange(num_steps + 1, dtype=torch.float64)
    alpha_bar = torch.cos((j / num_steps + 0.008) / 1.008 * math.pi / 2)**2
    return (1 - alpha_bar[1:] / alpha_bar[:-1]).clamp_max(0.999)


BETAS = dict(linear=linear_betas, quadratic=quadratic_betas,
             cosine=cosine_betas, constant=constant_betas, jsd=jsd_betas,
             warmup10=lambda *args: warmup_betas(*args, share=0.1),
             warmup50=lambda *args: warmup_betas(*args, share=0.5))
