"""One sampling loop of a pipeline, from photos to restored photos."""
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, List, Optional, Sequence

import numpy as np
from torch import Tensor, nn

from ..errors import ConfigError
from ..samplers.base import Sampler
from ..sde.base import SDE, Generators, Time
from .image_pipeline import Callback, Size, Start
from .network_calls import Session
from .padding import PaddedBatch, one_each
from .progress import Progress

if TYPE_CHECKING:
    from .pipeline import RestorationPipeline


def run_network(call: Callable[..., Tensor], network: nn.Module, sde: SDE,
                xt: Tensor, mu: Optional[Tensor], t: Time) -> Tensor:
    """The output of a network for a state of a process at time t."""
    scale = sde.input_scale(t)
    x = xt if isinstance(scale, int) and scale == 1 else xt * scale
    return call(network, x, mu, t=sde.network_time(t))


class Trajectory:
    """One sampling loop for a part of a batch: all that belongs to it alone.

    Args:
        pipeline (RestorationPipeline): The model.
        session (Session): Its network calls.
        sampler (Sampler): Makes the steps.
        sizes: Height and width of each image of the whole batch.
        part (range): Places of the images in the batch.
        callback: See :meth:`ImagePipeline.restore_batch`.
    """

    def __init__(self, pipeline: 'RestorationPipeline', session: Session,
                 sampler: Sampler, sizes: Sequence[Size], part: range,
                 callback: Optional[Callback]) -> None:
        self.pipeline, self.session, self.sampler = pipeline, session, sampler
        self.sizes, self.part, self.callback = sizes, part, callback
        self.step, self.steps = -1, 0
        self.kept: Any = None

    def run(self, inputs: Tensor, generator: Generators,
            sigma: Optional[float], start: Optional[Start]) -> Tensor:
        """The restored images of degraded ones, (B, C, H, W)."""
        pipe, sde, hooks = (self.pipeline, self.pipeline.sde,
                            self.pipeline.hooks)
        encoded, self.kept = hooks.encode(hooks.condition(inputs))
        mu = sde.from_image(encoded)
        fill, draws = (lambda x: x), None
        begin = partial(sde.start, mu, generator, sigma)
        own = [self.sizes[i] for i in self.part]
        if set(own) != {tuple(inputs.shape[-2:])}:
            batch = PaddedBatch(own, pipe.network,
                                one_each(generator, len(mu)))
            mu, fill, draws = batch.fill(mu), batch.fill, batch.draws(mu)
            begin = partial(batch.start, sde, mu, sigma)
        sampler = self.sampler
        try:
            xt, t_start = start or begin()
            if t_start and t_start < sde.num_steps:
                sampler = sampler.at_most(t_start)
            if t_start:
                _, times = sampler.begin(sde, t_start)
                self.steps = len(times) - 1
                self.session.trajectory(
                    pipe.network, map(sde.network_time, times[:-1]))
        except ValueError as error:
            raise ConfigError(str(error)) from error
        self.report(t_start, xt)
        denoiser = pipe.denoiser(self.session, mu, sampler, fill)
        x0 = sampler.sample(sde, denoiser, xt, mu, t_start, generator, draws,
                            self.report)
        return hooks.decode(sde.to_image(x0), self.kept)

    def report(self, t: Time, xs: Tensor) -> None:
        """Calls the callback, once at the start and after every step."""
        self.step += 1
        if self.callback is not None:
            self.callback(Progress(self.step, self.steps, float(t), self.part,
                                   partial(self.states, xs)))

    def states(self, xs: Tensor) -> List[np.ndarray]:
        """States as images, (H, W, C) uint8 BGR."""
        pipe = self.pipeline
        images = pipe.hooks.decode(pipe.sde.to_image(xs), self.kept)
        return pipe.as_arrays(images, [self.sizes[i] for i in self.part])
