"""Crispness: a dial between the mean of the possible images and a sample.

x = m + s (sample - m). The mean m has the smallest mean squared error D of all
estimates, but is smooth; an exact sample has detail and the error 2 D. On the
line between them, the error is (1 + s^2) D.

Source: Freirich et al., NeurIPS 2021, where the best tradeoff of squared error
and Wasserstein distance is such a line. Its other end is the most accurate
estimate that is distributed as the images, which a sample is not.
"""
import math
from dataclasses import dataclass
from numbers import Real
from typing import Any, Callable, Optional

from torch import Tensor

from ..errors import ConfigError
from ..samplers.base import Sampler
from ..sde.base import SDE, Time
from ..sde.predictions import Denoiser, Output, Prediction
from .hooks import Hooks

MAX_CRISPNESS = 1.5
#: Draws averaged if a single network call does not estimate the mean.
MEAN_DRAWS = 5


def check_crispness(value: Any) -> None:
    """Check a crispness.

    Raises:
        ConfigError: If it is not None or a number from 0 to 1.5.
    """
    if value is not None and (
            isinstance(value, bool) or not isinstance(value, Real)
            or not 0 <= value <= MAX_CRISPNESS):
        raise ConfigError(f'crispness={value!r} must be a number from 0 (the '
                          f'mean) to {MAX_CRISPNESS}; 1 is the sample.')


@dataclass(frozen=True)
class Dial:
    """A crispness s and the source of the mean.

    Attributes:
        crispness (float): s from 0 to 1.5.
        mean (str): 'regression' for a refining model, whose regression
            network estimates the mean; 'call' if the first network call does;
            otherwise 'draws'.
    """

    crispness: float
    mean: str

    @property
    def draws(self) -> int:
        """Number of trajectories per result."""
        return MEAN_DRAWS if self.mean == 'draws' else 1

    def mix(self, sample: Tensor, regression: Tensor,
            first: Callable[[], Tensor],
            draw: Callable[[], Tensor]) -> Tensor:
        """Return m + s (sample - m).

        Args:
            sample (Tensor): A draw (B, C, H, W), not clipped.
            regression (Tensor): Images in which the process ends.
            first: Function that returns the estimate of the sample's first
                network call.
            draw: Function that returns another draw.
        """
        if self.mean == 'regression':
            mean = regression
        elif self.mean == 'call':
            mean = first()
        else:
            total = sample.clone()
            for _ in range(1, self.draws):
                total += draw()
            mean = total / self.draws
        # exact at both ends: lerp(m, x, 0) = m, lerp(m, x, 1) = x
        return mean.lerp(sample, self.crispness)


def choose_dial(crispness: Optional[float], calls: int, hooks: Hooks,
                output: Output, sde: SDE, sampler: Sampler,
                t: Optional[int] = None) -> Optional[Dial]:
    """Return the dial for a crispness, or None where it changes nothing.

    Args:
        crispness (float, optional): s from 0 to 1.5; None and 1 select the
            sample.
        calls (int): Maximum number of network calls.
        hooks (Hooks), output (Output), sde (SDE), sampler (Sampler):
            Components of the pipeline.
        t (int, optional): Time of a given start state; by default, T and the
            start of the process.

    Raises:
        ConfigError: If the crispness is out of range, or if every crispness
            would give the same result.
    """
    check_crispness(crispness)
    if crispness is None or crispness == 1:
        return None
    if hooks.refines:
        return Dial(float(crispness), 'regression')
    if calls < 2:
        raise ConfigError(f'crispness={crispness} needs a sampler with at '
                          'least 2 calls, because every crispness gives the '
                          'result of a single call; increase steps.')
    # the image of a mean of latents is not a mean of images
    on_images = type(hooks).decode is Hooks.decode
    if on_images and output.one_call(sde, sde.num_steps if t is None else t):
        return Dial(float(crispness), 'call')
    if not (sampler.stochastic or (t is None and (
            sde.noise_at_end or not sampler.needs_euler_form))):
        raise ConfigError(f'crispness={crispness} needs draws that differ, '
                          'but neither the start nor '
                          f'{type(sampler).__name__} adds noise.')
    return Dial(float(crispness), 'draws')


class FirstCall:
    """Denoiser that keeps the estimate of x0 of its first call.

    Args:
        denoiser: ``(xt, t) -> Prediction``.
        sampler (Sampler): Sampler that clamps the estimates.

    Attributes:
        x0 (Tensor, optional): The estimate (B, C, H, W), None before.
    """

    def __init__(self, denoiser: Denoiser, sampler: Sampler) -> None:
        self.denoiser = denoiser
        self.clamp = sampler.clamp or (-math.inf, math.inf)
        self.x0: Optional[Tensor] = None

    def __call__(self, xt: Tensor, t: Time) -> Prediction:
        prediction = self.denoiser(xt, t)
        if self.x0 is None:
            self.x0 = prediction.x0.clamp(*self.clamp)
        return prediction
