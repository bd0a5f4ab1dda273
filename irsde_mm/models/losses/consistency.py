"""Consistency training, for restoration with one or two network calls."""
from typing import Callable, Optional

import torch
from torch import Tensor, nn

from ...errors import ConfigError
from ...registry import MODELS
from ...sde import SDE
from ...sde.base import Time
from ...sde.predictions import Prediction
from .objectives import L1

#: Estimates of a network: (xt, mu, t) -> Prediction.
Estimator = Callable[[Tensor, Optional[Tensor], Time], Prediction]


@MODELS.register_module()
class ConsistencyLoss(nn.Module):
    """Distance between estimates of x0 at two times of the same path.

    The estimate at time t is compared with that of the averaged weights at
    s = t - T / N, for the same clean image and noise; at s = 0 it is compared
    with the clean image itself. N grows geometrically during training: with a
    single step this is regression from every state, with many steps all states
    of a path lead to the same image, so one network call returns a sample
    instead of a mean.

    Needs :class:`ConsistencyHook`, which provides the averaged weights and the
    progress of training.

    Source: Song et al., ICML 2023, algorithm 3 (consistency training), with
    the growing N of section 5; IR-CM (NeurIPS 2024) for mean-reverting
    processes.

    Args:
        distance (dict): Any registered pixel loss. It compares images in
            [0, 1]; :class:`SumLoss` adds a :class:`PerceptualLoss` to L1.
        start_steps, end_steps (int): N at the start and at the end of
            training, at least 1.

    Attributes:
        objective (str): 'consistency', saved in checkpoints.
        estimate (callable, optional): ``(xt, mu, t) -> Prediction`` of the
            averaged weights, set by :class:`ConsistencyHook`.
        progress (float): Fraction of the training that is done, set by
            :class:`ConsistencyHook`.

    Raises:
        ValueError: If the numbers of steps are not integers with
            1 <= start_steps <= end_steps.
    """

    objective = 'consistency'
    needs_euler_form = needs_stationary_end = False
    NO_HOOK = ('ConsistencyLoss needs averaged weights; replace EMAHook in '
               'custom_hooks by irsde_mm.ConsistencyHook.')
    #: Outputs whose estimate of x0 divides by a_t cannot be compared at T.
    needs_clean_estimate = True

    def __init__(self, distance: dict = L1, start_steps: int = 2,
                 end_steps: int = 16) -> None:
        super().__init__()
        if not all(type(n) is int for n in (start_steps, end_steps)) \
                or not 1 <= start_steps <= end_steps:
            raise ValueError(
                'start_steps and end_steps must be integers with 1 <= '
                f'start_steps <= end_steps, but got {start_steps!r} and '
                f'{end_steps!r}.')
        self.distance = MODELS.build(distance)
        self.start_steps, self.end_steps = start_steps, end_steps
        self.estimate: Optional[Estimator] = None
        self.progress = 0.

    @property
    def num_steps(self) -> int:
        """Current number of steps N from T to 0."""
        growth = self.end_steps / self.start_steps
        return round(self.start_steps * growth**self.progress)

    def forward(self, sde: SDE, prediction: Prediction, *, output: Tensor,
                target: Tensor, xt: Tensor, x0: Tensor, mu: Optional[Tensor],
                t: Tensor, noise: Tensor,
                weight: Optional[Tensor] = None) -> Tensor:
        """Return the loss as a scalar, see :class:`MaximumLikelihoodLoss`.

        Raises:
            ConfigError: If no hook has set :attr:`estimate`.
        """
        if self.estimate is None:
            raise ConfigError(self.NO_HOOK)
        goal = self.goal(sde, x0, mu, t, noise)
        return self.distance(sde.to_image(prediction.x0), sde.to_image(goal))

    @torch.no_grad()
    def goal(self, sde: SDE, x0: Tensor, mu: Optional[Tensor], t: Tensor,
             noise: Tensor) -> Tensor:
        """Return the target (B, C, H, W) of the estimates at times t (B,)."""
        s = earlier(t, sde.num_steps, self.num_steps)
        # one step leads to x0 everywhere, so no network is needed
        if self.num_steps == 1:
            return x0
        inside = s.clamp(min=1)
        xs = sde.perturb(x0, mu, inside, noise)
        goal = self.estimate(xs, mu, inside).x0
        return torch.where((s > 0)[:, None, None, None], goal, x0)


def earlier(t: Tensor, total: int, num_steps: int) -> Tensor:
    """Return s = max(t - T / N, 0), a whole number of steps before t.

    Args:
        t (Tensor): Times (B,) in (0, T].
        total (int): T.
        num_steps (int): N.
    """
    return (t - max(round(total / num_steps), 1)).clamp(min=0)
