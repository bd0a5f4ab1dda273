"""Euler's method on the reverse-time SDE and on its probability flow."""
from typing import Optional

from torch import Tensor

from ..sde.base import SDE, Time, combine
from ..sde.predictions import Prediction
from .base import History, Sampler


class EulerMaruyamaSampler(Sampler):
    """The paper's reverse SDE: x - drift h - sigma_t sqrt(h) z.

    Source: Luo et al., ICML 2023, equation 7 and its published
    discretisation, with noise in the last step too. Needs many steps; at
    fewer than T the step h grows so that the whole diffusion is crossed.
    Arguments: :class:`Sampler`.
    """

    needs_euler_form = True

    def step(self, sde: SDE, xt: Tensor, prediction: Prediction, t: Time,
             s: Time, z: Optional[Tensor] = None,
             history: History = ()) -> Tensor:
        h = sde.step_size(t, s)
        score = sde.score(prediction.noise, t)
        drift = sde.reverse_drift(xt, prediction.mu, score, t)
        return combine((1, xt), (-h, drift),
                       (-h.sqrt() * sde.diffusion(t), z))


class ProbabilityFlowSampler(Sampler):
    """The flow with the same marginals and no fresh noise: x - drift h.

    Source: Song et al., ICLR 2021, equation 13, on the paper's process.
    Arguments: :class:`Sampler`.
    """

    stochastic = False
    needs_euler_form = True

    def step(self, sde: SDE, xt: Tensor, prediction: Prediction, t: Time,
             s: Time, z: Optional[Tensor] = None,
             history: History = ()) -> Tensor:
        score = sde.score(prediction.noise, t)
        drift = sde.reverse_drift(xt, prediction.mu, score, t,
                                  probability_flow=True)
        return combine((1, xt), (-sde.step_size(t, s), drift))
