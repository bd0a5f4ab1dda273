"""Schedulers of diffusers, applied to (x - mu) / lam or x / lam."""
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

#: Schedulers whose states follow a variance-preserving diffusion at every
#: step. Others rescale the states or call the network more than once per step.
SCHEDULERS = ('DPMSolverMultistepScheduler', 'UniPCMultistepScheduler',
              'DEISMultistepScheduler', 'DDIMScheduler')
#: Scheduler arguments that are derived from the process.
DERIVED = ('num_train_timesteps', 'trained_betas', 'prediction_type')


class DiffusersSampler(Sampler):
    """Sampler that wraps a scheduler of diffusers.

    These schedulers solve variance-preserving diffusions with
    alphas_cumprod = a^2. VPSDE is such a process; IR-SDE is one for
    (x0 - mu) / lam with the state (x - mu) / lam. The trajectory always ends
    at t = 0 with the estimate of x0, even if the scheduler alone would stop
    slightly earlier.

    Args:
        scheduler (dict): ``type``, one of ``SCHEDULERS``, and its arguments.
            ``timestep_spacing`` defaults to 'trailing', because the first node
            must be the time of the start state.
        num_steps, clamp: See :class:`Sampler`.

    Raises:
        ValueError: If the scheduler is unknown or unsupported, or rejects an
            argument.
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
            reason = ('does not support the residual form' if hasattr(
                schedulers, str(name)) else 'is not known')
            raise ValueError(f'the scheduler {name!r} {reason}; choose one of '
                             f'{", ".join(SCHEDULERS)}.')
        derived = [key for key in DERIVED if key in args]
        if derived:
            raise ValueError(f'remove {", ".join(derived)} from the arguments '
                             f'of {name}; the process determines the value.')
        self._class = getattr(schedulers, name)
        self._args = dict(timestep_spacing='trailing')
        if name == 'DDIMScheduler':  # would clip (x0 - mu) / lam to [-1, 1]
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
        """Return the estimate of x0 for s = 0; other steps are not supported
        outside :meth:`sample`, because a scheduler has state.

        Raises:
            ValueError: If s > 0.
        """
        if s > 0:
            raise ValueError('DiffusersSampler.step supports only s = 0, '
                             'because a scheduler keeps state along the '
                             'trajectory; call sample instead.')
        return prediction.x0

    def _step(self, scheduler: Any, lam: float, share: float, sde: SDE,
              xt: Tensor, prediction: Prediction, t: Time, s: Time,
              z: Optional[Tensor] = None, history: History = ()) -> Tensor:
        """Take one step with a scheduler created by :meth:`_prepare`."""
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
        """Return a fresh scheduler, the times of its nodes and 0, lam, and the
        factor of mu that is subtracted from the state (0 or 1)."""
        n = self.num_steps or t_start
        if n > t_start:
            raise ValueError(
                f'num_steps={n} exceeds the {t_start} steps available from '
                f't_start={t_start} to 0; use at most {t_start}.')
        # Near t = 0, 1 - a^2 is too small for float32.
        sde = copy.deepcopy(sde).cpu().double()
        a, lam, share = _residual_form(sde)
        a2 = a[:t_start + 1].square()
        scheduler = self._class(
            **self._args, num_train_timesteps=t_start,
            trained_betas=(1 - a2[1:] / a2[:-1]).numpy())
        scheduler.set_timesteps(n)
        if hasattr(scheduler, 'sigmas'):
            # The scheduler rounds its times, so recover them from the sigmas.
            level = -(scheduler.sigmas[:n].double() * lam).log()
            times = [_snap(t) for t in time_of(sde, level).tolist()]
            scheduler.set_begin_index(0)
        else:
            times = [int(t) + 1 for t in scheduler.timesteps]
        self._check_times(times, t_start, n)
        return scheduler, [*times, 0], lam, share

    def _check_times(self, times: List[Time], t_start: int, n: int) -> None:
        name = self._class.__name__
        spacing = f'timestep_spacing={self._args["timestep_spacing"]!r}'
        order = self._args.get('solver_order', 1)
        if order > n:
            raise ValueError(f'solver_order={order} of {name} needs at least '
                             f'{order} steps, but got num_steps={n}; use more '
                             'steps or a lower order.')
        if times[0] != t_start:
            raise ValueError(f'{name} with {spacing} starts at t='
                             f'{times[0]:.4g} instead of t_start={t_start}; '
                             "use 'trailing'.")
        if len(times) != n or any(s >= t for t, s in pairwise(times)):
            raise ValueError(f'{name} with {spacing} cannot place {n} steps '
                             f'from t_start={t_start} to 0; use fewer steps '
                             "or 'trailing'.")
        if name == 'DDIMScheduler' and t_start % n:
            raise ValueError(f'{name} takes equal integer steps: num_steps='
                             f'{n} must divide t_start={t_start}.')


def _residual_form(sde: SDE) -> Tuple[Tensor, float, float]:
    """Return a_t at integer times (T+1,), lam, and the factor of mu that is
    subtracted from the state (0 or 1).

    Raises:
        ValueError: If the process is not variance-preserving in
            (x - mu) / lam or x / lam.
    """
    a, b, c = (x.flatten() for x in sde.coefficients(
        torch.arange(sde.num_steps + 1)))
    spread = (1 - a**2).clamp_min(0).sqrt()
    lam, share = float(c[-1] / spread[-1]), float(b[-1] > 0)
    if not ((b - share * (1 - a)).abs().max() < 1e-5
            and (c - lam * spread).abs().max() < 1e-4 * lam):
        raise ValueError(
            f'{type(sde).__name__} is not supported by the schedulers of '
            'diffusers, which need b = 1 - a or b = 0, and '
            'c = lam sqrt(1 - a^2); use MultistepSampler.')
    return a, lam, share


def _snap(t: float) -> Time:
    """Round a time close to an integer, to remove the scheduler's float32
    errors."""
    return round(t) if abs(t - round(t)) < 1e-2 else t
