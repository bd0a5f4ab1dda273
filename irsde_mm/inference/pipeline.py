"""Pipeline for restoring images with a diffusion model."""
from functools import partial
from typing import Any, Callable, List, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import ConfigError, DataError
from ..networks.self_ensemble import set_copies
from ..samplers.base import Sampler
from ..sde.base import SDE, Generators, Time
from ..sde.predictions import NoiseOutput, Output, Prediction
from .arrays import Upscale, channel_order, from_array, to_array
from .components import build as build_component
from .crispness import Dial, check_crispness, choose_dial
from .data_consistency import (DataConsistency, check_hooks,
                               data_consistency as as_settings)
from .hooks import Hooks
from .image_pipeline import (Callback, Choice, ImagePipeline, Size, Start,
                             check_seed)
from .measurements import Measurements
from .memory import bytes_per_pixel
from .network_calls import NetworkCalls, Tile
from .noise import check_sigma, image_generators, noise_levels
from .padding import one_by_one, one_per_image
from .presets import build_sampler, sampler_config
from .pretrained import Pretrained
from .trajectory import Trajectory, run_network


class RestorationPipeline(Pretrained, ImagePipeline):
    """Image restoration with a network, a process and a sampler.

    Requires only torch and numpy. Several threads can use the same pipeline,
    because each call has its own state.

    Example:
        >>> pipeline = RestorationPipeline.from_file('derain.safetensors')
        >>> restored = pipeline(image, steps=5, seed=1)

    Args:
        network (nn.Module): ``forward(xt, mu, t)``, with ``in_channels``.
        sde (SDE): The process.
        sampler (Sampler | dict | str): A sampler, or a config, preset or name
            for :func:`sampler_config`.
        output (Output): Parameterization of the network output.
        hooks (Hooks): Hooks before and after the process.
        calls (NetworkCalls): Settings for network calls.
        seed (int): Combined with an image's name to seed its noise.
        sigma (float | str, optional): Noise level of inputs in [0, 1], or
            'estimate', for processes that start at a noise level.
        upscale (Upscale, optional): Upsamples images to the size of the
            result.
        order (str): Channel order of the network, 'RGB' or 'BGR'.
        crispness (float, optional): Default of :meth:`restore_batch`.
        data_consistency: Data consistency of every restoration, see
            :func:`data_consistency`; none by default.
        build: Function that builds a sampler from a config.

    Raises:
        ConfigError: If the sampler is unknown, or a setting is out of range.
        ValueError: If the components are not compatible.
    """

    def __init__(self, network: nn.Module, sde: SDE,
                 sampler: Union[str, dict, Sampler] = 'balanced',
                 output: Optional[Output] = None, *,
                 hooks: Optional[Hooks] = None,
                 calls: Optional[NetworkCalls] = None, seed: int = 0,
                 sigma: Union[None, float, str] = None,
                 upscale: Optional[Upscale] = None, order: str = 'RGB',
                 crispness: Optional[float] = None,
                 data_consistency: Any = None,
                 build: Callable[[dict], Sampler] = build_component) -> None:
        check_seed(seed)
        check_sigma(sigma, sde)
        check_crispness(crispness)
        if order not in ('RGB', 'BGR'):
            raise ConfigError(f"order={order!r} must be 'RGB' or 'BGR'.")
        self.network = network
        self.sde = sde
        self.output = output or NoiseOutput()
        self.build = build
        self.sampler = build_sampler(sampler, sde, self.output, build)
        self.hooks = hooks or Hooks()
        self.calls = calls or NetworkCalls()
        self.seed = seed
        self.sigma = sigma
        self.upscaling = upscale
        self.order = order
        self.crispness = crispness
        self.data_consistency = as_settings(data_consistency)

    def to(self, device: Union[str, torch.device]) -> 'RestorationPipeline':
        """Move the networks and the process to a device."""
        for module in (self.network, self.sde, *self.hooks.networks()):
            module.to(device)
        return self

    # ------------------------------------------------------------- options

    @property
    def channels(self) -> int:
        return self.hooks.image_channels(self.network)

    @property
    def upscale(self) -> int:
        return self.upscaling.scale if self.upscaling else 1

    @property
    def device(self) -> torch.device:
        return next(self.network.parameters()).device

    @property
    def self_ensemble(self) -> int:
        """Flipped copies of an image that each network call is averaged over:
        1, 2, 4 or 8, see :func:`mean_over_flips`.

        Raises:
            ConfigError: If another number is set, or no network supports it.
        """
        return getattr(self.network, 'self_ensemble', 1)

    @self_ensemble.setter
    def self_ensemble(self, copies: int) -> None:
        set_copies([self.network, *self.hooks.networks()], copies)

    def choose_sampler(self, sampler: Choice = None,
                       steps: Optional[int] = None) -> Sampler:
        if steps is not None and type(steps) is not int:
            raise ConfigError(f'steps={steps!r} must be a whole number.')
        if steps is not None and steps < 1:
            raise ConfigError(f'steps={steps} is less than 1.')
        current = dict(num_steps=self.sampler.num_steps,
                       clamp=self.sampler.clamp)
        try:
            if isinstance(sampler, (str, dict)):
                chosen = self.build(sampler_config(
                    sampler, self.sde, self.output, current, steps))
            else:
                chosen = sampler or self.sampler
                if steps is not None:
                    chosen = chosen.with_steps(steps)
            return build_sampler(chosen, self.sde, self.output)
        except (ValueError, TypeError) as error:
            raise ConfigError('the sampler cannot be used: '
                              f'{error}') from error

    def choose_consistency(self, value: Any = None
                           ) -> Optional[DataConsistency]:
        chosen = self.data_consistency if value is None else as_settings(value)
        if chosen is None:
            return None
        check_hooks(self.hooks, self.name)
        return chosen.for_model(self.degradation, self.upscale)

    def max_calls(self, sampler: Optional[Sampler]) -> int:
        sampler = sampler or self.sampler
        return sampler.num_steps or self.sde.num_steps

    def choose_dial(self, crispness: Optional[float] = None,
                    sampler: Optional[Sampler] = None,
                    t: Optional[int] = None) -> Optional[Dial]:
        crispness = self.crispness if crispness is None else crispness
        sampler = sampler or self.sampler
        calls = self.max_calls(sampler)
        return choose_dial(crispness, calls if t is None else min(calls, t),
                           self.hooks, self.output, self.sde, sampler, t)

    def padded_size(self, height: int, width: int) -> Size:
        return self.hooks.padding(self.network, height, width)

    def call_bytes(self, height: int, width: int) -> int:
        # expanded to the full size without allocating it
        c, scale = self.network.in_channels, self.hooks.downscale
        height, width = -(-height // scale), -(-width // scale)
        image = next(self.network.parameters()).new_zeros(
            1, c, 1, 1).expand(1, c, height, width)
        call = partial(self.network, t=1)
        tiling = self.calls.tiling(self.network, call, (image, image))
        pixels = height * width if tiling is None else (
            tiling.batch * tiling.side**2)
        return int(pixels * bytes_per_pixel(self.network, call,
                                            (image, image)))

    # ---------------------------------------------------------- restoration

    def restore_batch(self, images: Sequence[np.ndarray],
                      names: Optional[Sequence[str]] = None, *,
                      sampler: Choice = None, steps: Optional[int] = None,
                      seed: Optional[int] = None, draw: int = 0,
                      start: Optional[Start] = None,
                      tile: Optional[Tile] = None,
                      crispness: Optional[float] = None,
                      data_consistency: Any = None,
                      callback: Optional[Callback] = None
                      ) -> List[np.ndarray]:
        self.check_batch(images)
        inputs, sizes = self.as_inputs(images)
        restored = self.restore(
            inputs, sizes=sizes, names=names, generators=self.generators(
                len(images), names, seed, draw),
            sampler=self._resolve_sampler(sampler, steps), start=start,
            tile=tile, crispness=crispness, data_consistency=data_consistency,
            callback=callback)
        return self.as_arrays(restored, sizes)

    def _resolve_sampler(self, sampler: Choice,
                         steps: Optional[int]) -> Sampler:
        if sampler is None and steps is None:
            return self.sampler
        return self.choose_sampler(sampler, steps)

    def restore_tensor(self, image: Tensor, *, sampler: Choice = None,
                       steps: Optional[int] = None,
                       seed: Optional[int] = None,
                       tile: Optional[Tile] = None,
                       crispness: Optional[float] = None,
                       data_consistency: Any = None,
                       callback: Optional[Callback] = None) -> Tensor:
        inputs = image if image.ndim == 4 else image[None]
        if inputs.ndim != 4 or inputs.shape[1] != self.channels \
                or not inputs.is_floating_point():
            raise DataError(f'an image tensor must be ({self.channels}, H, W) '
                            f'or (B, {self.channels}, H, W) of floats in [0, '
                            f'1], but got {tuple(image.shape)} of '
                            f'{image.dtype}.')
        if self.upscaling:
            inputs = self.upscaling(inputs)
        inputs = channel_order(inputs, 'RGB', self.order)
        restored = self.restore(
            inputs.to(self.device), generators=self.generators(
                len(inputs), None, seed),
            sampler=self._resolve_sampler(sampler, steps), tile=tile,
            crispness=crispness, data_consistency=data_consistency,
            callback=callback)
        restored = channel_order(restored, self.order, 'RGB').clamp_(0, 1)
        return restored.view(*image.shape[:-2], *restored.shape[-2:])

    def generators(self, number: int, names: Optional[Sequence[str]] = None,
                   seed: Optional[int] = None,
                   draw: int = 0) -> List[torch.Generator]:
        """Return the noise generator of each image, see
        :meth:`restore_batch`."""
        check_seed(seed)
        if seed is None:
            return image_generators(names or [''] * number, self.seed + draw,
                                    self.device)
        return [torch.Generator(self.device).manual_seed(seed + draw)
                for _ in range(number)]

    def as_inputs(self, images: Sequence[np.ndarray], enlarge: bool = True
                  ) -> Tuple[Tensor, List[Size]]:
        """Convert images (H, W, C) uint8 BGR to a batch (B, C, H, W) in
        [0, 1], padded to the largest image, and return the size of each."""
        inputs = [from_array(image, self.order, self.device,
                             self.upscaling if enlarge else None)
                  for image in images]
        sizes = [tuple(image.shape[-2:]) for image in inputs]
        batch = inputs[0].new_zeros(len(inputs), self.channels,
                                    *map(max, zip(*sizes)))
        for padded, image, (h, w) in zip(batch, inputs, sizes):
            padded[:, :h, :w] = image
        return batch, sizes

    def enlarged(self, image: np.ndarray) -> np.ndarray:
        """Return an input (H, W, C) uint8 BGR at the size of its result."""
        return self.as_arrays(*self.as_inputs([image]))[0]

    def as_arrays(self, restored: Tensor,
                  sizes: Sequence[Size]) -> List[np.ndarray]:
        """Convert a batch (B, C, H, W) to images (H, W, C) uint8 BGR."""
        return [to_array(image[:, :h, :w], self.order)
                for image, (h, w) in zip(restored, sizes)]

    def state_at(self, degraded: np.ndarray, clean: np.ndarray, t: int,
                 seed: int) -> Tensor:
        """Return the state (1, C, H, W) at time t for a pair of images.

        Args:
            degraded, clean (ndarray): (H, W, C) uint8 BGR.
            t (int): Time.
            seed (int): Seed of the noise.
        """
        x0, mu = (self.as_inputs([image], enlarge)[0]
                  for image, enlarge in ((clean, False), (degraded, True)))
        with torch.no_grad():
            x0, mu = (self.sde.from_image(self.hooks.encode(image)[0])
                      for image in (x0, self.hooks.condition(mu)))
        generator = torch.Generator(self.device).manual_seed(seed)
        noise = torch.randn(mu.shape, generator=generator, device=mu.device)
        return self.sde.perturb(x0, mu, t, noise)

    def restore(self, inputs: Tensor, *, sampler: Optional[Sampler] = None,
                generators: Generators = None,
                names: Optional[Sequence[str]] = None,
                sigmas: Optional[Sequence[float]] = None,
                sizes: Optional[Sequence[Size]] = None,
                start: Optional[Start] = None, tile: Optional[Tile] = None,
                crispness: Optional[float] = None,
                data_consistency: Any = None,
                callback: Optional[Callback] = None) -> Tensor:
        """Restore a batch of tensors.

        Args:
            inputs (Tensor): Degraded images (B, C, H, W) in [0, 1].
            sampler (Sampler, optional): Overrides the pipeline's sampler.
            generators: Noise generators, see :func:`draw_noise`.
            names: Paths of the images, for messages.
            sigmas: Noise level of each image; overrides the pipeline's level.
            sizes: Height and width of each image if the batch was padded.
            start, tile, crispness, data_consistency, callback: See
                :meth:`restore_batch`.

        Returns:
            Tensor: Restored images (B, C, H, W), not clipped.

        Raises:
            ConfigError: If the process or sampler cannot start from the
                inputs, or data consistency is not possible.
            ImageError: If the noise level of an image is out of range, or
                the operator does not fit it.
        """
        sampler = sampler or self.sampler
        dial = self.choose_dial(crispness, sampler,
                                None if start is None else start[1])
        # Noise is drawn in memory order, so make the layout deterministic.
        inputs = inputs.contiguous()
        h, w = inputs.shape[-2:]
        sizes = list(sizes or [(h, w)] * len(inputs))
        if start is None and len({self.padded_size(*s) for s in sizes}) > 1:
            return one_by_one(
                self.restore, inputs, sizes, callback, sampler=sampler,
                generators=one_per_image(generators, len(inputs)),
                names=names, sigmas=sigmas, tile=tile, crispness=crispness,
                data_consistency=data_consistency)
        levels = [None] * len(inputs) if start is not None else noise_levels(
            self.sde, self.sigma, inputs, sizes, names or [''] * len(inputs),
            sigmas)
        settings = self.choose_consistency(data_consistency)
        measurements = settings and Measurements(
            settings, inputs, sizes, names or [''] * len(inputs), self.order,
            self.upscaling)
        parts = [range(len(inputs))]
        if len(set(levels)) > 1:
            # Different noise levels start at different times.
            parts = [range(i, i + 1) for i in range(len(inputs))]
        sources = one_per_image(generators, len(inputs)) \
            if len(parts) > 1 else generators
        with self.calls.session(tile) as session:
            restored = torch.cat([Trajectory(
                self, session, sampler, sizes, part, callback, dial,
                measurements).run(
                    inputs[part.start:part.stop],
                    sources[part.start:part.stop]
                    if isinstance(sources, list) else sources,
                    levels[part.start], start) for part in parts])
        # Clone to get a normal tensor instead of an inference tensor.
        restored = restored[..., :h, :w].clone()
        return measurements.finish(restored) if measurements else restored

    def denoiser(self, call: Callable[..., Tensor], mu: Optional[Tensor],
                 sampler: Optional[Sampler] = None,
                 fill: Callable[[Tensor], Tensor] = lambda x: x
                 ) -> Callable[[Tensor, Time], Prediction]:
        """Return the conditioned network as ``(xt, t) -> Prediction``.

        Args:
            call: ``(network, xt, mu, t=) -> Tensor``.
            mu (Tensor): Degraded images in the range of the process.
            sampler (Sampler, optional): Sampler that uses the predictions.
            fill: Pads a state for the network.
        """
        sde, output = self.sde, self.output
        if sampler is not None and sampler.needs_euler_form:
            output = output.for_euler_steps()

        def predict(xt: Tensor, t: Time) -> Prediction:
            out = run_network(call, self.network, sde, fill(xt), mu, t)
            return output.decode(sde, out, xt, mu, t)

        return predict
