"""The three speeds theta_t at which a state reverts to its mean.

Each gives T+1 float64 values; entry 0 is never walked over (theta_bar_0 = 0).
Source: Luo et al., ICML 2023, section 4.1 and its published implementation.
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
