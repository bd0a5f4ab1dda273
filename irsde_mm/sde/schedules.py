"""Schedules of theta_t for IR-SDE and beta_t for VPSDE.

Thetas are T+1 float64 values; entry 0 is unused (theta_bar_0 = 0). Source: Luo
et al., ICML 2023, section 4.1 and its published implementation. Betas are T
float64 values in (0, 1] for the steps 1 to T. Source: Ho et al., NeurIPS 2020,
and the implementations of SR3.
"""
import math

import torch
from torch import Tensor


def constant_theta(num_steps: int) -> Tensor:
    """Return a constant schedule: ones (T+1,)."""
    return torch.ones(num_steps + 1, dtype=torch.float64)


def linear_theta(num_steps: int) -> Tensor:
    """Return a linear schedule (T+1,) from 1e-4 k to 2e-2 k with
    k = 1000/(T+1)."""
    k = 1000 / (num_steps + 1)
    return torch.linspace(1e-4 * k, 2e-2 * k, num_steps + 1,
                          dtype=torch.float64)


def cosine_theta(num_steps: int) -> Tensor:
    """Return 1 minus the cosine schedule of Nichol and Dhariwal (2021),
    (T+1,)."""
    n = num_steps + 2
    j = torch.arange(n + 1, dtype=torch.float64)
    A = torch.cos((j / n + 0.008) / 1.008 * math.pi / 2)**2
    return 1 - A[1:-1] / A[0]


SCHEDULES = dict(constant=constant_theta, linear=linear_theta,
                 cosine=cosine_theta)


def linear_betas(num_steps: int, first: float, last: float) -> Tensor:
    """Return betas that rise linearly from first to last."""
    return torch.linspace(first, last, num_steps, dtype=torch.float64)


def quadratic_betas(num_steps: int, first: float, last: float) -> Tensor:
    """Return betas whose square roots rise linearly."""
    return linear_betas(num_steps, first**0.5, last**0.5)**2


def warmup_betas(num_steps: int, first: float, last: float,
                 share: float) -> Tensor:
    """Return betas that rise linearly during a fraction of the steps and then
    stay constant."""
    betas = constant_betas(num_steps, first, last)
    rise = int(num_steps * share)
    betas[:rise] = linear_betas(rise, first, last)
    return betas


def constant_betas(num_steps: int, first: float, last: float) -> Tensor:
    """Return betas that equal ``last`` at all times."""
    return torch.full((num_steps, ), last, dtype=torch.float64)


def jsd_betas(num_steps: int, first: float, last: float) -> Tensor:
    """Return 1/T, 1/(T-1), ..., 1, for which alpha_bar falls linearly to 0
    (Sohl-Dickstein et al., ICML 2015). ``first`` and ``last`` are ignored."""
    return 1 / torch.linspace(num_steps, 1, num_steps, dtype=torch.float64)


def cosine_betas(num_steps: int, first: float, last: float) -> Tensor:
    """Return betas of at most 0.999 for which alpha_bar is a squared cosine
    (Nichol and Dhariwal, ICML 2021). ``first`` and ``last`` are ignored."""
    j = torch.arange(num_steps + 1, dtype=torch.float64)
    alpha_bar = torch.cos((j / num_steps + 0.008) / 1.008 * math.pi / 2)**2
    return (1 - alpha_bar[1:] / alpha_bar[:-1]).clamp_max(0.999)


BETAS = dict(linear=linear_betas, quadratic=quadratic_betas,
             cosine=cosine_betas, constant=constant_betas, jsd=jsd_betas,
             warmup10=lambda *args: warmup_betas(*args, share=0.1),
             warmup50=lambda *args: warmup_betas(*args, share=0.5))
