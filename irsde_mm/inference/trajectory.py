"""Sampling loop of a pipeline, from degraded to restored images."""
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, List, Optional, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import ConfigError
from ..samplers.base import Sampler
from ..sde.base import SDE, Generators, Time
from .crispness import Dial, FirstCall
from .image_pipeline import Callback, Size, Start
from .measurements import Measurements
from .network_calls import Session
from .padding import PaddedBatch, one_per_image
from .progress import Progress

if TYPE_CHECKING:
    from .pipeline import RestorationPipeline


def run_network(call: Callable[..., Tensor], network: nn.Module, sde: SDE,
                xt: Tensor, mu: Optional[Tensor], t: Time) -> Tensor:
    """Return the network output for a state of a process at time t."""
    scale = sde.input_scale(t)
    x = xt if isinstance(scale, int) and scale == 1 else xt * scale
    return call(network, x, mu, t=sde.network_time(t))


class Trajectory:
    """One sampling loop for part of a batch, with its own state.

    Args:
        pipeline (RestorationPipeline): The model.
        session (Session): Session for the network calls.
        sampler (Sampler): The sampler.
        sizes: Height and width of each image of the whole batch.
        part (range): Indices of the images in the batch.
        callback: See :meth:`ImagePipeline.restore_batch`.
        dial (Dial, optional): Mixes the result with the mean.
        measurements (Measurements, optional): Data consistency of the whole
            batch.
    """

    def __init__(self, pipeline: 'RestorationPipeline', session: Session,
                 sampler: Sampler, sizes: Sequence[Size], part: range,
                 callback: Optional[Callback],
                 dial: Optional[Dial] = None,
                 measurements: Optional[Measurements] = None) -> None:
        self.pipeline, self.session, self.sampler = pipeline, session, sampler
        self.sizes, self.part, self.callback = sizes, part, callback
        self.dial, self.measurements = dial, measurements
        self.step, self.steps = -1, 0
        self.context: Any = None

    def run(self, inputs: Tensor, generator: Generators,
            sigma: Optional[float], start: Optional[Start]) -> Tensor:
        """Return the restored images for degraded ones, (B, C, H, W)."""
        pipe, sde, hooks = (self.pipeline, self.pipeline.sde,
                            self.pipeline.hooks)
        images = hooks.condition(inputs)
        encoded, self.context = hooks.encode(images)
        mu, fill, draws, begin = self.pad(
            sde.from_image(encoded), inputs.shape, generator, sigma)
        sampler = self.sampler
        try:
            xt, t_start = start or begin()
            if t_start and t_start < sde.num_steps:
                sampler = sampler.at_most(t_start)
            if t_start:
                _, times = sampler.begin(sde, t_start)
                self.steps = (len(times) - 1) * (
                    self.dial.draws if self.dial else 1)
                self.session.trajectory(
                    pipe.network, map(sde.network_time, times[:-1]))
        except ValueError as error:
            raise ConfigError(str(error)) from error
        self.report(t_start, xt)
        denoiser = pipe.denoiser(self.session, mu, sampler, fill)
        if self.measurements is not None:
            denoiser = self.measurements.denoiser(denoiser, sde, self.part)
        if self.dial is not None:
            denoiser = FirstCall(denoiser, sampler)

        def draw(xt: Tensor, report: Callable[[Time, Tensor], None]) -> Tensor:
            return self.image(sampler.sample(
                sde, denoiser, xt, mu, t_start, generator, draws, report))

        sample = draw(xt, self.report)
        if self.dial is None:
            return sample
        return self.dial.mix(
            sample, images,
            lambda: self.image(denoiser.x0) if t_start else sample,
            lambda: draw((start or begin())[0], self.report_draw))

    def pad(self, mu: Tensor, shape: torch.Size, generator: Generators,
            sigma: Optional[float]) -> tuple:
        """Return mu padded for the network if sizes differ, a function that
        pads states, the noise of the steps (None for that of the generator),
        and a function that draws a start state."""
        sde, sizes = self.pipeline.sde, [self.sizes[i] for i in self.part]
        if set(sizes) == {tuple(shape[-2:])}:
            return (mu, lambda x: x, None,
                    partial(sde.start, mu, generator, sigma))
        batch = PaddedBatch(sizes, self.pipeline.network,
                            one_per_image(generator, len(mu)))
        mu = batch.fill(mu)
        return (mu, batch.fill, batch.draws(mu),
                partial(batch.start, sde, mu, sigma))

    def image(self, x: Tensor) -> Tensor:
        """Return images (B, C, H, W) for states."""
        pipe = self.pipeline
        return pipe.hooks.decode(pipe.sde.to_image(x), self.context)

    def report(self, t: Time, xs: Tensor) -> None:
        """Call the callback, at the start and after every step."""
        self.step += 1
        if self.callback is not None:
            self.callback(Progress(self.step, self.steps, float(t), self.part,
                                   partial(self.states, xs)))

    def report_draw(self, t: Time, _: Tensor) -> None:
        """Call the callback after a step of a further draw, without states,
        which would not be those of the result."""
        self.step += 1
        if self.callback is not None:
            self.callback(Progress(self.step, self.steps, float(t), self.part,
                                   list))

    def states(self, xs: Tensor) -> List[np.ndarray]:
        """Return states as images, (H, W, C) uint8 BGR."""
        return self.pipeline.as_arrays(
            self.image(xs), [self.sizes[i] for i in self.part])
