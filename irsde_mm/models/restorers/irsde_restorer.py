"""The model that ties network, process, sampler and objective together."""
import copy
import zlib
from functools import partial
from pathlib import PurePath
from typing import Any, Dict, List, Optional, Tuple, Union

import torch
from mmagic.structures import DataSample
from torch import Tensor

from ...errors import CheckpointError, ConfigError
from ...registry import DIFFUSION_SCHEDULERS, MODELS
from ...samplers.base import Callback, Sampler
from ...sde.base import Generators
from ...version import __version__
from .padded_batch import PaddedBatch, image_sizes, one_each
from .sampler_choice import build_sampler
from .settings import check_settings, check_weights, process_and_network
from .tiled_model import TiledEditModel

TIMESTEPS = ('discrete', 'continuous')


@MODELS.register_module()
class IRSDERestorer(TiledEditModel):
    """Restores images by walking a mean-reverting process backwards.

    Training (Luo et al., ICML 2023, algorithm 1): t ~ U{1..T} for each image,
    ``xt = sde.perturb(...)``, and the objective compares what the network
    predicts. Testing walks from ``sde.start`` with the sampler; each image
    has noise of its own, drawn from (test seed, image name), so that a result
    depends on neither batch, order nor number of processes.

    Args:
        generator (dict): Noise predictor, ``forward(xt, mu, t)``.
        sde (dict): Process.
        sampler (dict | str): Sampler of tests; a config, a preset or a name,
            see :func:`sampler_config`.
        pixel_loss (dict): Objective.
        val_sampler (dict | str): Sampler of validation during training.
        timesteps (str): Times of training: 'discrete', 1..T as published, or
            'continuous', t ~ U(0, T], which makes every grid of a few-step
            sampler familiar to the network.
        **kwargs: :class:`TiledEditModel`'s. ``test_cfg`` may have ``tile``
            (how large images are cut), ``seed`` (int, 0 by default),
            ``sigma``, the noise level of inputs that do not bring their own:
            a number in [0, 1] or 'estimate', and ``debias`` (bool): whether
            to undo the bias of the published objective; by default where the
            weights were trained with it and the sampler needs it.

    Raises:
        ConfigError: If a sampler, ``timesteps`` or ``tile`` is unknown.
        ValueError: If an argument of a part is out of its range.
    """

    def __init__(self, generator: dict, sde: dict, sampler: Union[dict, str],
                 pixel_loss: dict, val_sampler: Union[dict, str] = 'fast',
                 timesteps: str = 'discrete', **kwargs) -> None:
        super().__init__(generator, pixel_loss, **kwargs)
        if timesteps not in TIMESTEPS:
            raise ConfigError('timesteps has to be one of '
                              f'{", ".join(TIMESTEPS)}, but is {timesteps!r}.')
        self.sde = DIFFUSION_SCHEDULERS.build(sde)
        self.sampler = build_sampler(sampler, self.sde)
        self.val_sampler = build_sampler(val_sampler, self.sde)
        self.timesteps = timesteps
        self.trained_with(self.pixel_loss.objective)
        self.settings = dict(
            **process_and_network(dict(sde=sde, generator=generator)),
            objective=self.objective,
            timesteps=timesteps,
            version=__version__)

    def trained_with(self, objective: str) -> None:
        """Makes the samplers fit weights that an objective has trained.

        Args:
            objective (str): 'euler', 'exact' or 'noise', the model's own
                until a checkpoint says something else.
        """
        self.objective = objective
        self.sampler = self.unbiased(self.sampler)
        self.val_sampler = self.unbiased(self.val_sampler)

    def unbiased(self, sampler: Sampler) -> Sampler:
        """The sampler with ``debias`` as the weights need it: on for the
        published objective, unless ``test_cfg`` says what it has to be."""
        sampler = copy.copy(sampler)
        choice = (self.test_cfg or {}).get('debias')
        sampler.debias = choice if choice is not None else (
            sampler.needs_unbiased and self.objective == 'euler')
        return sampler

    def check_checkpoint(self, checkpoint: dict) -> None:
        """Stops a checkpoint that is not one of this model.

        Args:
            checkpoint (dict): With ``state_dict`` and perhaps ``meta``. One
                without our settings (of another origin) has to fit by the
                names and shapes of its weights alone.

        Raises:
            CheckpointError: Naming each setting with both values, or the
                weights that are missing.
        """
        saved = checkpoint.get('meta', {}).get('irsde_mm')
        if saved is not None:
            check_settings(saved, self.settings)
            self.trained_with(saved['objective'])
        if 'state_dict' not in checkpoint:
            raise CheckpointError("the checkpoint has no 'state_dict'.")
        check_weights(checkpoint['state_dict'], self.state_dict())

    def forward_train(self, inputs: Tensor, data_samples: DataSample,
                      **kwargs) -> Dict[str, Tensor]:
        """The objective for one batch.

        Args:
            inputs (Tensor): Degraded images mu (B, C, H, W) in [0, 1].
            data_samples (DataSample): With ``gt_img``, the clean images.

        Returns:
            dict: ``loss``.
        """
        if self.objective != self.pixel_loss.objective:
            self.trained_with(self.pixel_loss.objective)
        mu, x0 = inputs, data_samples.gt_img
        t = self._draw_times(len(mu), mu.device)
        noise = torch.randn_like(x0)
        xt = self.sde.perturb(x0, mu, t, noise)
        noise_pred = self.generator(xt, mu, t)
        return dict(loss=self.pixel_loss(
            self.sde, noise_pred, xt=xt, x0=x0, mu=mu, t=t, noise=noise))

    def _draw_times(self, n: int, device: torch.device) -> Tensor:
        """Times of training (n,), whole or fractional."""
        T = self.sde.num_steps
        if self.timesteps == 'continuous':
            return T * (1 - torch.rand(n, device=device))
        return torch.randint(1, T + 1, (n, ), device=device)

    def val_step(self, data: Any) -> List[DataSample]:
        """As testing, with the sampler of validation."""
        data = self.data_preprocessor(data, False)
        return self(**data, mode='predict', sampler=self.val_sampler)

    def forward_tensor(self, inputs: Tensor,
                       data_samples: Optional[DataSample] = None,
                       sampler: Optional[Sampler] = None,
                       generator: Generators = None,
                       callback: Optional[Callback] = None) -> Tensor:
        """Restores a batch.

        Args:
            inputs (Tensor): Degraded images mu (B, C, H, W) in [0, 1].
            data_samples (DataSample, optional): Gives the images' names.
            sampler (Sampler, optional): In place of the model's own.
            generator: Source of noise in place of the images' own.
            callback: See :meth:`Sampler.sample`.

        Returns:
            Tensor: Restored images (B, C, H, W), not clipped.

        Raises:
            ConfigError: If process or sampler cannot start from the inputs.
        """
        if generator is None:
            generator = self.image_generators(inputs, data_samples)
        h, w = inputs.shape[-2:]
        sizes = image_sizes(inputs, data_samples)
        sigmas = self._sigmas(inputs, data_samples, sizes)
        options = dict(sampler=self.unbiased(sampler or self.sampler),
                       callback=callback)
        with torch.inference_mode():
            if len(set(sigmas)) == 1:
                restored = self._walk(inputs, generator, sigmas[0], sizes,
                                      **options)
            else:  # they start at different times
                each = one_each(generator, len(inputs))
                restored = torch.cat([
                    self._walk(mu[None], [g], sigma, [size], **options)
                    for mu, g, sigma, size in zip(inputs, each, sigmas,
                                                  sizes)])
        # a normal tensor: what follows may change it in place
        return restored[..., :h, :w].clone()

    def _walk(self, mu: Tensor, generator: Generators,
              sigma: Optional[float], sizes: List[Tuple[int, int]],
              sampler: Sampler, callback: Optional[Callback]) -> Tensor:
        fill, draws, start = (lambda x: x), None, partial(
            self.sde.start, mu, generator, sigma)
        if set(sizes) != {tuple(mu.shape[-2:])}:
            batch = PaddedBatch(sizes, self.generator,
                                one_each(generator, len(mu)))
            mu, fill, draws = batch.fill(mu), batch.fill, batch.draws(mu)
            start = partial(batch.start, self.sde, mu, sigma)
        try:
            xt, t_start = start()
            if t_start and t_start < self.sde.num_steps:
                sampler = sampler.at_most(t_start)
            if t_start:
                sampler.grid(self.sde, t_start)
        except ValueError as error:
            raise ConfigError(str(error)) from error
        return sampler.sample(
            self.sde,
            lambda x, t: self.call_network(self.generator, fill(x), mu, t=t),
            xt, mu, t_start, generator, draws, callback)

    def padded_size(self, height: int, width: int) -> Tuple[int, int]:
        """As :meth:`TiledEditModel.padded_size`."""
        if not hasattr(self.generator, 'pad_mode'):
            return height, width
        d = self.generator.divisor
        return height + -height % d, width + -width % d

    def _sigmas(self, inputs: Tensor, data_samples: Optional[DataSample],
                sizes: List[Tuple[int, int]]) -> list:
        """Each image's noise level: the sample's, or ``test_cfg``'s."""
        meta = {} if data_samples is None else data_samples.metainfo
        if 'sigma' in meta:
            return [float(sigma) for sigma in meta['sigma']]
        sigma = (self.test_cfg or {}).get('sigma')
        if sigma != 'estimate' or not hasattr(self.sde, 'start_time'):
            return [sigma] * len(inputs)
        from skimage.restoration import estimate_sigma
        return [float(estimate_sigma(
            image[:, :h, :w].cpu().numpy(), channel_axis=0,
            average_sigmas=True)) for image, (h, w) in zip(inputs, sizes)]

    def image_generators(self, inputs: Tensor,
                         data_samples: Optional[DataSample] = None
                         ) -> List[torch.Generator]:
        """One source of noise an image, from (test seed, image name).

        Args:
            inputs (Tensor): Degraded images (B, C, H, W).
            data_samples (DataSample, optional): Stacked, with ``img_path``
                or ``gt_path``; images without a name share one.
        """
        seed = (self.test_cfg or {}).get('seed', 0)
        meta = {} if data_samples is None else data_samples.metainfo
        paths = meta.get('img_path', meta.get('gt_path', [''] * len(inputs)))
        return [torch.Generator(inputs.device).manual_seed(
            zlib.crc32(f'{seed}:{PurePath(path).name}'.encode()))
            for path in paths]
