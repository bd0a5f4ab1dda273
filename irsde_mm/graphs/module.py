"""A pipeline as one module of tensor operations, which can be exported."""
import copy
import itertools
from functools import partial
from typing import Callable, Iterator, List, Optional, Sequence

import torch
from torch import Tensor, nn

from ..inference import NetworkCalls, Refinement, RestorationPipeline
from ..inference.arrays import channel_order
from ..inference.trajectory import Trajectory
from ..networks import ProcessNetwork, RegressionNetwork
from ..samplers.base import Sampler
from ..sde.base import SDE, Time

#: ``(name, x, time, channels) -> Tensor``, replaces
#: :meth:`ProcessNetwork.features` of the network with this name.
Features = Callable[[str, Tensor, Tensor, int], Tensor]


class RestorationGraph(nn.Module):
    """Network, process and sampler as a function of an image and noise.

    Runs the sampling loop of the pipeline, so the result is that of the
    pipeline for the same noise. The times and the start are fixed, and images
    are processed whole.

    Args:
        pipeline (RestorationPipeline): The model, on the CPU.
        sampler (Sampler): Its sampler.
        crispness (float, optional): See
            :meth:`RestorationPipeline.restore_batch`.
        features (callable, optional): Replaces the networks, see
            :data:`Features`.

    Attributes:
        t_start (int): Time at which sampling starts.
        times (list): Times of the network calls.
        networks (nn.ModuleDict): ``generator`` and, for a refining model,
            ``initial``.

    Raises:
        ConfigError, ValueError: If the sampler, the start or the crispness
            does not fit the model.
    """

    def __init__(self, pipeline: RestorationPipeline, sampler: Sampler,
                 crispness: Optional[float] = None,
                 features: Optional[Features] = None) -> None:
        super().__init__()
        one_pixel = torch.zeros(1, pipeline.network.in_channels, 1, 1)
        _, self.t_start = pipeline.sde.start(
            one_pixel, torch.Generator(), pipeline.sigma)
        self.dial = pipeline.choose_dial(crispness, sampler)
        self.sampler = prepared(sampler, pipeline.sde, self.t_start)
        self.times = self.sampler.begin(pipeline.sde, self.t_start)[1][:-1]
        self.networks = nn.ModuleDict(dict(generator=pipeline.network))
        self.sde = copy.copy(pipeline.sde)
        if self.sde.starts_at_noise_level:
            # cannot be computed in the graph
            self.sde.start_time = lambda sigma: self.t_start
        self.pipeline = copy.copy(pipeline)
        self.pipeline.sde = self.sde
        with torch.no_grad():
            self.pipeline.network = stand_in(
                'generator', pipeline.network,
                [self.sde.network_time(t) for t in self.times], features)
            if isinstance(pipeline.hooks, Refinement):
                initial = self.networks['initial'] = pipeline.hooks.initial
                self.pipeline.hooks = Refinement(
                    regression(initial, features), NetworkCalls(tile='off'))

    def forward(self, image: Tensor, noise: Optional[Tensor] = None
                ) -> Tensor:
        """Restore images.

        Args:
            image (Tensor): Degraded images (B, C, H, W), RGB or gray in
                [0, 1].
            noise (Tensor, optional): Standard normal noise of each draw in
                order, (N, B, C, H', W') with the size of the result.

        Returns:
            Tensor: Restored images (B, C, H', W'), clipped to [0, 1].
        """
        return self.restore(image, iter(() if noise is None
                                        else noise.unbind(0)))

    def restore(self, image: Tensor, draws: Iterator[Tensor]) -> Tensor:
        """Restore images with the noise of an iterator, one tensor
        (B, C, H', W') per draw; see :meth:`forward`."""
        pipe = self.pipeline
        inputs = pipe.upscaling(image) if pipe.upscaling else image
        inputs = channel_order(inputs, 'RGB', pipe.order)
        restored = WholeImages(
            pipe, DirectCalls(), self.sampler, [], range(1), None, self.dial
        ).run(inputs, draws, pipe.sigma, None)
        return channel_order(restored, pipe.order, 'RGB').clamp(0, 1)

    def count_draws(self) -> int:
        """Return the number N of noise tensors that :meth:`forward` uses."""
        side, scale = 16, self.pipeline.upscale
        image = torch.zeros(1, self.pipeline.channels, side, side)
        noise = torch.zeros(1, self.pipeline.channels, *[scale * side] * 2)
        used = itertools.count()
        with torch.no_grad():
            self.restore(image, (noise for _ in used))
        return next(used)


class DirectCalls:
    """Network calls without tiles or preparation, in place of a session."""

    def trajectory(self, network: nn.Module, times: Sequence) -> None:
        """Ignore the times, which the network already knows."""

    def __call__(self, network: nn.Module, *images: Tensor,
                 **kwargs) -> Tensor:
        return network(*images, **kwargs)


class WholeImages(Trajectory):
    """Trajectory of a batch in which all images have the same size."""

    def pad(self, mu: Tensor, shape: torch.Size, generator,
            sigma: Optional[float]) -> tuple:
        return (mu, lambda x: x, None,
                partial(self.pipeline.sde.start, mu, generator, sigma))


def prepared(sampler: Sampler, sde: SDE, t_start: int) -> Sampler:
    """Return a copy of a sampler whose decisions about a trajectory are made,
    because a graph cannot make them.

    Raises:
        ValueError: If the sampler does not fit the process.
    """
    if t_start < sde.num_steps:
        sampler = sampler.at_most(t_start)
    begun = sampler.begin(sde, t_start)
    noise_first = sampler.adds_noise_first(sde, t_start)
    ready = copy.copy(sampler)
    ready.begin = lambda *_: begun
    ready.adds_noise_first = lambda *_: noise_first
    return ready


def stand_in(name: str, network: ProcessNetwork, times: List[Time],
             features: Optional[Features]) -> nn.Module:
    """Return a copy of a network that knows the times of its calls.

    Args:
        name (str): Name for ``features``.
        network (ProcessNetwork): The network; the weights are shared.
        times (list): Times for the network, as numbers or tensors.
        features (callable, optional): See :data:`Features`.
    """
    numbers = [t for t in times if not isinstance(t, Tensor)]
    ready = network.with_times(numbers) if numbers else copy.copy(network)
    if features is not None:
        channels = network.features(
            network.padded_input(*[torch.zeros(
                1, network.in_channels, network.divisor, network.divisor)
            ] * 2), network.embed_time(0, torch.zeros(1))).shape[1]
        ready.features = partial(call_features, features, name, channels)
    return ready


def call_features(features: Features, name: str, channels: int, x: Tensor,
                  time: Tensor) -> Tensor:
    return features(name, x, time, channels)


def regression(initial: nn.Module, features: Optional[Features]
               ) -> nn.Module:
    """Return a regression network as :func:`stand_in` does."""
    if not isinstance(initial, RegressionNetwork):
        return initial
    ready = copy.copy(initial)
    ready._modules = dict(initial._modules, network=stand_in(
        'initial', initial.network, [0], features))
    return ready
