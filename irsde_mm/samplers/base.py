"""The walk back from a degraded to a clean image, written once."""
import copy
from abc import ABC, abstractmethod
from collections import deque
from itertools import pairwise
from typing import Callable, Iterable, List, Optional, Sequence, Tuple

import torch
from torch import Tensor

from ..sde.base import SDE, Generators, Time, draw_noise

NoiseFn = Callable[[Tensor, Time], Tensor]
Callback = Callable[[Time, Tensor], None]


class Sampler(ABC):
    """Solves a process backwards with predicted noise.

    A sampler says how one :meth:`step` is made; the loop is here. It keeps
    nothing between calls and can be shared.

    Args:
        num_steps (int, optional): Steps from the start to time 0, which is
            the number of network calls. None walks over every whole time.
        debias (bool): Whether to undo the bias that the published objective
            trains into the noise (:meth:`SDE.debias`). Not for Euler steps,
            in whose mean that bias cancels. A restorer decides by itself.
        clamp (tuple[float, float], optional): Range that each step's estimate
            of x0 is limited to, in that of the process: (0, 1) for most, (-1,
            1) for VPSDE.

    Raises:
        ValueError: If ``num_steps`` or ``clamp`` makes no sense.
    """

    #: Whether a step uses fresh noise.
    stochastic = True
    #: Whether a step needs the true noise, as one does that goes through x0:
    #: the bias of the published objective cancels in Euler's step only.
    needs_unbiased = False
    #: Whether a step can be made from a state in which nothing of x0 is left.
    from_nothing = False
    #: How many earlier predictions a step is given.
    history_length = 0

    def __init__(self, num_steps: Optional[int] = None, debias: bool = False,
                 clamp: Optional[Tuple[float, float]] = None) -> None:
        if num_steps is not None and (not isinstance(num_steps, int)
                                      or num_steps < 1):
            raise ValueError('a sampler needs a whole num_steps of at least '
                             f'1, but got {num_steps!r}.')
        if clamp is not None and not clamp[0] < clamp[1]:
            raise ValueError('clamp has to be (low, high) with low < high, '
                             f'but is {clamp}.')
        self.num_steps = num_steps
        self.debias = debias
        self.clamp = clamp

    @abstractmethod
    def step(self, sde: SDE, xt: Tensor, mu: Optional[Tensor], noise: Tensor,
             t: Time, s: Time, z: Optional[Tensor] = None,
             history: Sequence[Tuple[Time, Tensor]] = ()) -> Tensor:
        """The state at s < t.

        Args:
            sde (SDE): The process.
            xt, mu, noise (Tensor): State, degraded image and predicted noise
                at t, each (B, C, H, W).
            t, s: Times, numbers.
            z (Tensor, optional): Fresh standard noise; None gives the mean.
            history: Earlier (time, prediction) pairs, the newest first.
        """

    def prediction(self, sde: SDE, xt: Tensor, mu: Optional[Tensor],
                   noise: Tensor, t: Time) -> Tensor:
        """What later steps are given as history: the noise."""
        return noise

    def begin(self, sde: SDE, t_start: int) -> Tuple['Sampler', List[Time]]:
        """Who makes the steps of one walk, and the times it visits.

        A solver with a state of its own hands out a fresh one here.

        Raises:
            ValueError: As :meth:`grid`, or if the start state holds nothing
                of x0 and this sampler cannot leave it.
        """
        self._check_start(sde, t_start)
        return self, self.grid(sde, t_start)

    def _check_start(self, sde: SDE, t_start: int) -> None:
        if float(sde.coefficients(t_start)[0]) > 0:
            return
        where = f'{type(sde).__name__} ends at alpha_bar = 0, where '
        if not self.from_nothing:
            raise ValueError(
                f'{where}{type(self).__name__} has no step; use '
                'PosteriorSampler or JumpSampler with a clamp, or another '
                'schedule.')
        if self.clamp is None:
            raise ValueError(
                f'{where}the noise says nothing of x0: limit its estimates by '
                f'clamp={sde.published_clamp}, or choose another schedule.')

    def grid(self, sde: SDE, t_start: int) -> List[Time]:
        """The times visited, from t_start to 0.

        Raises:
            ValueError: If there are fewer whole times than steps.
        """
        n = self.num_steps or t_start
        if n > t_start:
            raise ValueError(
                f'num_steps={n} is more than the {t_start} steps that there '
                f'are from t_start={t_start} to 0; use at most {t_start}.')
        return torch.linspace(t_start, 0, n + 1,
                              dtype=torch.float64).round().int().tolist()

    def at_most(self, n: int) -> 'Sampler':
        """This sampler with no more than n steps, for a start below T."""
        sampler = copy.copy(self)
        sampler.num_steps = min(self.num_steps or n, n)
        return sampler

    def sample(self, sde: SDE, noise_fn: NoiseFn, xt: Tensor,
               mu: Optional[Tensor], t_start: int,
               generator: Generators = None,
               draws: Optional[Iterable[Tensor]] = None,
               callback: Optional[Callback] = None) -> Tensor:
        """Walks from (xt, t_start) to the clean image.

        Args:
            sde (SDE): The process.
            noise_fn: ``(xt, t) -> noise``, the network with its condition.
            xt (Tensor): Start state (B, C, H, W), as :meth:`SDE.start` gives.
            mu (Tensor): Degraded images (B, C, H, W).
            t_start (int): Time of ``xt``; 0 returns ``xt``.
            generator: Source of fresh noise, see :func:`draw_noise`.
            draws: Tensors used in place of the generator's: one a step, in
                order, whether the step uses noise or not.
            callback: Called as ``callback(s, xs)`` after every step.

        Returns:
            Tensor: The restored images (B, C, H, W), not clipped.

        Raises:
            ValueError: If the grid does not fit (before any network call) or
                ``draws`` ends early.
        """
        if t_start == 0:
            return xt
        walker, times = self.begin(sde, t_start)
        draws = None if draws is None else iter(draws)
        history = deque(maxlen=self.history_length)
        for i, (t, s) in enumerate(pairwise(times)):
            noise = self._corrected(sde, noise_fn(xt, t), xt, mu, t)
            if draws is not None:
                z = next(draws, None)
                if z is None:
                    raise ValueError(f'draws ended after {i} of the '
                                     f'{len(times) - 1} steps.')
            else:
                z = draw_noise(xt, generator) if self.stochastic else None
            now = (t, self.prediction(sde, xt, mu, noise, t)) \
                if self.history_length else None
            xt = walker.step(sde, xt, mu, noise, t, s, z, tuple(history))
            history.appendleft(now)
            if callback is not None:
                callback(s, xt)
        return xt

    def _corrected(self, sde: SDE, noise: Tensor, xt: Tensor,
                   mu: Optional[Tensor], t: Time) -> Tensor:
        """The predicted noise after debias and clamp."""
        if self.debias:
            noise = sde.debias(noise, xt, mu, t)
        if self.clamp is not None:
            x0 = sde.predict_x0(xt, mu, noise, t).clamp_(*self.clamp)
            noise = sde.predict_noise(xt, mu, x0, t)
        return noise
