"""The solvers of the library diffusers, on (x - mu) / lam or on x."""
import copy
from functools import partial
from itertools import pairwise
from typing import Any, List, Optional, Tuple

import torch
from torch import Tensor

from ..errors import missing_package
from ..sde.base import SDE, Time
from ..sde.log_snr import time_of
from ..sde.predictions import Prediction
from .base import History, Sampler, Step

#: Schedulers whose states are those of a variance-preserving diffusion at
#: every step; others scale them, or call the network more than once a step.
SCHEDULERS = ('DPMSolverMultistepScheduler', 'UniPCMultistepScheduler',
              'DEISMultistepScheduler', 'DDIMScheduler')
OURS = ('num_train_timesteps', 'trained_betas', 'prediction_type')


class DiffusersSampler(Sampler):
    """A scheduler of diffusers as the solver of a process.

    Those schedulers walk variance-preserving diffusions with alphas_cumprod =
    a^2. VPSDE is one; IR-SDE is one of (x0 - mu) / lam, seen through (x - mu)
    / lam. Every walk ends at t = 0 with the estimate of x0,
    also where the scheduler by itself would stop a little before.

    Args:
        scheduler (dict): ``type``, one of ``SCHEDULERS``, and its arguments.
            ``timestep_spacing`` is 'trailing' unless given: the first node
            has to be the time of the start state.
        num_steps, clamp: See :class:`Sampler`.

    Raises:
        ValueError: If the scheduler is unknown, cannot take this form, or
            does not know an argument.
    """

    needs_signal = True

    def __init__(self, scheduler: dict, num_steps: Optional[int] = 10,
                 clamp: Optional[Tuple[float, float]] = None) -> None:
        super().__init__(num_steps, clamp)
        try:
            from diffusers import schedulers
        except ImportError as error:
            raise missing_package(error) or error from error
        args = dict(scheduler)
        name = args.pop('type', None)
        if name not in SCHEDULERS:
            why = ('cannot take the residual form' if hasattr(
                schedulers, str(name)) else 'is not known')
            raise ValueError(f'the scheduler {name!r} {why}; there are '
                             f'{", ".join(SCHEDULERS)}.')
        ours = [key for key in OURS if key in args]
        if ours:
            raise ValueError(f'{", ".join(ours)} of {name} follows from the '
                             'process: leave it out.')
        self._class = getattr(schedulers, name)
        self._args = dict(timestep_spacing='trailing')
        if name == 'DDIMScheduler':  # it would clip (x0 - mu) / lam to [-1, 1]
            self._args['clip_sample'] = False
        self._args.update(args)
        try:
            self._class(**self._args)
        except (TypeError, ValueError, NotImplementedError) as error:
            raise ValueError(f'{name}: {error}') from error
        self.stochastic = str(args.get('algorithm_type')).startswith('sde-')

    def begin(self, sde: SDE, t_start: int) -> Tuple[Step, List[Time]]:
        self.check(sde, t_start)
        scheduler, times, lam, share = self._prepare(sde, t_start)
        return partial(self._step, scheduler, lam, share), times

    def grid(self, sde: SDE, t_start: int) -> List[Time]:
        return self._prepare(sde, t_start)[1]

    def step(self, sde: SDE, xt: Tensor, prediction: Prediction, t: Time,
             s: Time, z: Optional[Tensor] = None,
             history: History = ()) -> Tensor:
        """Refused except for s = 0: a scheduler keeps a state along its
        trajectory.

        Raises:
            ValueError: If s > 0.
        """
        if s > 0:
            raise ValueError('a scheduler of diffusers keeps a state along '
                             'its trajectory: call sample.')
        return prediction.x0

    def _step(self, scheduler: Any, lam: float, share: float, sde: SDE,
              xt: Tensor, prediction: Prediction, t: Time, s: Time,
              z: Optional[Tensor] = None, history: History = ()) -> Tensor:
        """One step of a scheduler that :meth:`_prepare` made."""
        if s == 0:
            return prediction.x0
        fresh = dict(variance_noise=z) if self.stochastic else {}
        state = xt - prediction.mu if share else xt
        # newer releases also return the estimate of x0
        residual, *_ = scheduler.step(
            prediction.noise, round(t) - 1, state / lam, return_dict=False,
            **fresh)
        residual = residual * lam
        return prediction.mu + residual if share else residual

    def _prepare(self, sde: SDE, t_start: int
                 ) -> Tuple[Any, List[Time], float, float]:
        """A fresh scheduler, the times of its nodes with 0, lam, and the share
        of mu in what the state is seen from."""
        n = self.num_steps or t_start
        if n > t_start:
            raise ValueError(
                f'num_steps={n} is more than the {t_start} steps that there '
                f'are from t_start={t_start} to 0; use at most {t_start}.')
        # 1 - a^2 is tiny near 0, where a float32 has no digits left for it
        sde = copy.deepcopy(sde).cpu().double()
        a, lam, share = _residual_form(sde)
        a2 = a[:t_start + 1].square()
        walk = self._class(**self._args, num_train_timesteps=t_start,
                           trained_betas=(1 - a2[1:] / a2[:-1]).numpy())
        walk.set_timesteps(n)
        if hasattr(walk, 'sigmas'):
            # it rounds its times: those of its noise levels are the true ones
            level = -(walk.sigmas[:n].double() * lam).log()
            times = [_whole(t) for t in time_of(sde, level).tolist()]
            walk.set_begin_index(0)
        else:
            times = [int(t) + 1 for t in walk.timesteps]
        self._check(times, t_start, n)
        return walk, [*times, 0], lam, share

    def _check(self, times: List[Time], t_start: int, n: int) -> None:
        name = self._class.__name__
        spacing = f'timestep_spacing={self._args["timestep_spacing"]!r}'
        order = self._args.get('solver_order', 1)
        if order > n:
            raise ValueError(f'solver_order={order} of {name} needs at least '
                             f'{order} steps, but num_steps={n}.')
        if times[0] != t_start:
            raise ValueError(f'{name} with {spacing} starts at t='
                             f'{times[0]:.4g}, but the state is that of '
                             f"t_start={t_start}; use 'trailing'.")
        if len(times) != n or any(s >= t for t, s in pairwise(times)):
            raise ValueError(f'{name} with {spacing} cannot place {n} steps '
                             f'from t_start={t_start} to 0; use fewer, or '
                             "'trailing'.")
        if name == 'DDIMScheduler' and t_start % n:
            raise ValueError(f'{name} walks in equal whole steps: num_steps '
                             f'has to divide {t_start}, which {n} does not.')


def _residual_form(sde: SDE) -> Tuple[Tensor, float, float]:
    """a_t at whole times (T+1,), lam, and 1 where the state is seen from mu or
    0 where it is seen from 0.

    Raises:
        ValueError: If the process is no variance-preserving one in
            (x - mu) / lam or in x / lam.
    """
    a, b, c = (x.flatten() for x in sde.coefficients(
        torch.arange(sde.num_steps + 1)))
    spread = (1 - a**2).clamp_min(0).sqrt()
    lam, share = float(c[-1] / spread[-1]), float(b[-1] > 0)
    if not ((b - share * (1 - a)).abs().max() < 1e-5
            and (c - lam * spread).abs().max() < 1e-4 * lam):
        raise ValueError(
            'the schedulers of diffusers solve processes with b = 1 - a or b '
            f'= 0 and c = lam sqrt(1 - a^2), and {type(sde).__name__} is '
            'none; use MultistepSampler.')
    return a, lam, share


def _whole(t: float) -> Time:
    """A time without the rounding errors of the scheduler's float32."""
    return round(t) if abs(t - round(t)) < 1e-2 else t
