"""Base class of samplers, with the sampling loop."""
import copy
from abc import ABC, abstractmethod
from collections import deque
from itertools import pairwise
from typing import Callable, Iterable, List, Optional, Sequence, Tuple

import torch
from torch import Tensor

from ..sde.base import SDE, Generators, Time, draw_noise
from ..sde.euler_form import EulerForm
from ..sde.predictions import Denoiser, NoiseOutput, Prediction, with_x0

NoiseFn = Callable[[Tensor, Time], Tensor]
Callback = Callable[[Time, Tensor], None]
History = Sequence[Tuple[Time, Prediction]]
Step = Callable[..., Tensor]


class Sampler(ABC):
    """Base class of solvers of the reverse process.

    Subclasses implement a single :meth:`step`; this class runs the sampling
    loop. A sampler keeps no state between calls and can be shared by threads.

    Args:
        num_steps (int, optional): Number of steps from the start to time 0,
            equal to the number of network calls. None visits every integer
            time.
        clamp (tuple[float, float], optional): Range to which the estimate of
            x0 is clamped in each step, in the range of the process: (0, 1) for
            most processes, (-1, 1) for VPSDE.

    Raises:
        ValueError: If ``num_steps`` or ``clamp`` is out of range.
    """

    #: Whether a step uses fresh noise.
    stochastic = True
    #: Whether a step needs the :class:`EulerForm` of the process. The bias of
    #: the published objective cancels in these steps.
    needs_euler_form = False
    #: Whether a step divides by a_t, which is 0 where the state contains no
    #: signal.
    needs_signal = False
    #: Number of earlier predictions passed to a step.
    history_length = 0

    def __init__(self, num_steps: Optional[int] = None,
                 clamp: Optional[Tuple[float, float]] = None) -> None:
        if num_steps is not None and (not isinstance(num_steps, int)
                                      or num_steps < 1):
            raise ValueError('num_steps must be an integer of at least 1, but '
                             f'got {num_steps!r}.')
        if clamp is not None and not clamp[0] < clamp[1]:
            raise ValueError('clamp must be (low, high) with low < high, but '
                             f'got {clamp}.')
        self.num_steps = num_steps
        self.clamp = clamp

    @abstractmethod
    def step(self, sde: SDE, xt: Tensor, prediction: Prediction, t: Time,
             s: Time, z: Optional[Tensor] = None,
             history: History = ()) -> Tensor:
        """Return the state at s < t.

        Args:
            sde (SDE): The process.
            xt (Tensor): State at t (B, C, H, W).
            prediction (Prediction): Estimates at t.
            t, s: Times, as numbers.
            z (Tensor, optional): Fresh standard normal noise; None returns
                the mean.
            history: Earlier (time, prediction) pairs, newest first.
        """

    def begin(self, sde: SDE, t_start: int) -> Tuple[Step, List[Time]]:
        """Return the step function and the times of one trajectory.

        Solvers with state along a trajectory override this to return a step
        function with fresh state.

        Raises:
            ValueError: See :meth:`check` and :meth:`grid`.
        """
        self.check(sde, t_start)
        return self.step, self.grid(sde, t_start)

    def check(self, sde: SDE, t_start: int) -> None:
        """Check that this sampler can solve a process from t_start.

        Raises:
            ValueError: If it cannot.
        """
        name, process = type(self).__name__, type(sde).__name__
        if self.needs_euler_form and not isinstance(sde, EulerForm):
            raise ValueError(
                f'{name} takes Euler steps, but {process} has no Euler form; '
                'use PosteriorSampler or JumpSampler.')
        if sde.signal_at_end or t_start < sde.num_steps \
                or not sde.noise_at_end:
            return
        if self.needs_signal or self.needs_euler_form:
            raise ValueError(
                f'{name} cannot start from the end of {process}, which '
                'contains no x0 (alpha_bar = 0); use PosteriorSampler, '
                "JumpSampler, MultistepSampler with grid='uniform', or "
                'another schedule.')

    def grid(self, sde: SDE, t_start: int) -> List[Time]:
        """Return the times to visit, from t_start to 0.

        Raises:
            ValueError: If there are fewer integer times than steps.
        """
        n = self.num_steps or t_start
        if n > t_start:
            raise ValueError(
                f'num_steps={n} exceeds the {t_start} steps available from '
                f't_start={t_start} to 0; use at most {t_start}.')
        return torch.linspace(t_start, 0, n + 1,
                              dtype=torch.float64).round().int().tolist()

    def adds_noise_first(self, sde: SDE, t_start: int) -> bool:
        """Return whether the first step draws noise, see :meth:`sample`."""
        return sde.has_noise and not self.needs_euler_form and not (
            float(sde.coefficients(t_start)[2]) > 0)

    def with_steps(self, num_steps: Optional[int]) -> 'Sampler':
        """Return a copy with another number of steps."""
        sampler = copy.copy(self)
        sampler.num_steps = num_steps
        return sampler

    def at_most(self, n: int) -> 'Sampler':
        """Return a copy with at most n steps, for a start time below T."""
        return self.with_steps(min(self.num_steps or n, n))

    def sample(self, sde: SDE, denoiser: Denoiser, xt: Tensor,
               mu: Optional[Tensor], t_start: int,
               generator: Generators = None,
               draws: Optional[Iterable[Tensor]] = None,
               callback: Optional[Callback] = None) -> Tensor:
        """Sample a trajectory from (xt, t_start) to the clean image.

        If the start state has no noise (c_t = 0, as for a bridge), the first
        step draws noise and perturbs the estimate of x0 to the next time, even
        for deterministic samplers; otherwise all results would be identical.
        Euler steps are well defined there and skip this, and so does a process
        without noise.

        Args:
            sde (SDE): The process.
            denoiser: ``(xt, t) -> Prediction``, the conditioned network; a
                returned tensor is interpreted as the noise.
            xt (Tensor): Start state (B, C, H, W), as returned by
                :meth:`SDE.start`.
            mu (Tensor): Degraded images (B, C, H, W).
            t_start (int): Time of ``xt``; 0 returns ``xt``.
            generator: Source of fresh noise, see :func:`draw_noise`.
            draws: Noise tensors to use instead of the generator, one per step,
                in order, whether or not the step uses noise.
            callback: Called as ``callback(s, xs)`` after every step.

        Returns:
            Tensor: Restored images (B, C, H, W), not clipped.

        Raises:
            ValueError: If the grid does not fit (raised before any network
                call) or ``draws`` is too short.
        """
        if t_start == 0:
            return xt
        step, times = self.begin(sde, t_start)
        boot = self.adds_noise_first(sde, t_start)
        draws = None if draws is None else iter(draws)
        history: deque = deque(maxlen=self.history_length)
        for i, (t, s) in enumerate(pairwise(times)):
            prediction = self._clamped(
                sde, self._read(sde, denoiser(xt, t), xt, mu, t), xt, t)
            if draws is not None:
                z = next(draws, None)
                if z is None:
                    raise ValueError(f'draws ended after {i} of the '
                                     f'{len(times) - 1} steps; provide one '
                                     'tensor per step.')
            else:
                z = draw_noise(xt, generator) \
                    if self.stochastic or boot else None
            if boot:
                xt = sde.perturb(prediction.x0, prediction.mu, s, z)
            else:
                xt = step(sde, xt, prediction, t, s, z, tuple(history))
                history.appendleft((t, prediction))
            boot = False
            if callback is not None:
                callback(s, xt)
        return xt

    @staticmethod
    def _read(sde: SDE, out, xt: Tensor, mu: Optional[Tensor],
              t: Time) -> Prediction:
        return out if isinstance(out, Prediction) else NoiseOutput().decode(
            sde, out, xt, mu, t)

    def _clamped(self, sde: SDE, prediction: Prediction, xt: Tensor,
                 t: Time) -> Prediction:
        if self.clamp is None:
            return prediction
        x0 = prediction.x0.clamp(*self.clamp)
        return with_x0(sde, x0, xt, prediction.mu, t)
