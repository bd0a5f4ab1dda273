"""Euler's method on the reverse-time SDE and on its probability flow."""
from typing import Optional, Sequence

from torch import Tensor

from ..sde.base import SDE, Time, combine
from .base import Sampler


class EulerMaruyamaSampler(Sampler):
    """The paper's reverse SDE: x - drift h - sigma_t sqrt(h) z.

    Source: Luo et al., ICML 2023, equation 7 and its published
    discretisation, with noise in the last step too. Needs many steps; at
    fewer than T the step h grows so that the whole diffusion is crossed.
    Arguments: :class:`Sampler`.
    """

    def step(self, sde: SDE, xt: Tensor, mu: Optional[Tensor], noise: Tensor,
             t: Time, s: Time, z: Optional[Tensor] = None,
             history: Sequence = ()) -> Tensor:
        h = sde.step_size(t, s)
        drift = sde.reverse_drift(xt, mu, sde.score(noise, t), t)
        return combine((1, xt), (-h, drift),
                       (-h.sqrt() * sde.diffusion(t), z))


class ProbabilityFlowSampler(Sampler):
    """The flow with the same marginals and no fresh noise: x - drift h.

    Source: Song et al., ICLR 2021, equation 13, on the paper's process.
    Arguments: :class:`Sampler`.
    """

    stochastic = False

    def step(self, sde: SDE, xt: Tensor, mu: Optional[Tensor], noise: Tensor,
             t: Time, s: Time, z: Optional[Tensor] = None,
             history: Sequence = ()) -> Tensor:
        drift = sde.reverse_drift(xt, mu, sde.score(noise, t), t,
                                  probability_flow=True)
        return combine((1, xt), (-sde.step_size(t, s), drift))
