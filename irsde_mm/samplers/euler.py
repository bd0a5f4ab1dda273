"""Euler's method for the reverse-time SDE and its probability flow."""
from typing import Optional

from torch import Tensor

from ..sde.base import SDE, Time, combine
from ..sde.predictions import Prediction
from .base import History, Sampler


class EulerMaruyamaSampler(Sampler):
    """Euler-Maruyama sampler: x - drift h - sigma_t sqrt(h) z.

    Solves the paper's reverse SDE. Source: Luo et al., ICML 2023, equation 7
    and its published discretization, with noise in the last step too. Needs
    many steps. With fewer than T steps, h grows so that the steps still cover
    the whole process. For arguments, see :class:`Sampler`.
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
    """Euler sampler of the probability flow ODE: x - drift h.

    The ODE has the same marginals as the SDE and needs no fresh noise. Source:
    Song et al., ICLR 2021, equation 13, applied to the paper's process. For
    arguments, see :class:`Sampler`.
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


class MeanODESampler(EulerMaruyamaSampler):
    """Euler sampler of the mean of the reverse SDE: x - drift h.

    Follows the reverse SDE with its full score, but without noise: the steps
    of :class:`EulerMaruyamaSampler` with their mean. Unlike the probability
    flow, it does not keep the marginals of the process. The results have less
    texture and a smaller mean squared error.

    Source: Yue et al., ICML 2024 (GOUB), "Mean-ODE". For arguments, see
    :class:`Sampler`.
    """

    stochastic = False

    def step(self, sde: SDE, xt: Tensor, prediction: Prediction, t: Time,
             s: Time, z: Optional[Tensor] = None,
             history: History = ()) -> Tensor:
        return super().step(sde, xt, prediction, t, s)
