"""Samplers based on an estimate of the clean image."""
from typing import Optional

from torch import Tensor

from ..sde.base import SDE, Time
from ..sde.predictions import Prediction
from .base import History, Sampler


class PosteriorSampler(Sampler):
    """Sampler that draws from p(x_s | x_t, x0) with the estimate of x0.

    Source: the paper's optimal reverse state (proposition 3.2) as a sampler.
    For arguments, see :class:`Sampler`.
    """

    def step(self, sde: SDE, xt: Tensor, prediction: Prediction, t: Time,
             s: Time, z: Optional[Tensor] = None,
             history: History = ()) -> Tensor:
        mean, std = sde.posterior(xt, prediction.x0, prediction.mu, t, s)
        return mean if z is None else mean.addcmul_(std, z)


class JumpSampler(Sampler):
    """Sampler that jumps directly to time s from estimates of x0 and noise.

    Source: the non-Markovian step of DDIM (Song et al., ICLR 2021), applied to
    any process of the family (docs/paper_to_code.md).

    Args:
        num_steps, clamp: See :class:`Sampler`.
        eta (float): Fraction of fresh noise in [0, 1]; 0 is deterministic, 1
            is the posterior.

    Raises:
        ValueError: If ``eta`` is not in [0, 1].
    """

    def __init__(self, num_steps: Optional[int] = None,
                 clamp: Optional[tuple] = None, eta: float = 1.0) -> None:
        super().__init__(num_steps, clamp)
        if not 0 <= eta <= 1:
            raise ValueError(f'eta must be in [0, 1], but got {eta}.')
        self.eta = eta
        self.stochastic = eta > 0

    def step(self, sde: SDE, xt: Tensor, prediction: Prediction, t: Time,
             s: Time, z: Optional[Tensor] = None,
             history: History = ()) -> Tensor:
        return sde.jump(*prediction, t, s, self.eta, z)
