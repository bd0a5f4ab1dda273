"""The model that ties network, process, sampler and objective together."""
import copy
from functools import partial
from typing import Any, Dict, List, Optional, Tuple, Union

import torch
from mmagic.structures import DataSample
from torch import Tensor

from ...errors import CheckpointError, ConfigError
from ...registry import DIFFUSION_SCHEDULERS, MODELS
from ...samplers.base import Callback, Sampler
from ...sde.base import Generators, Time
from ...sde.likelihood import bits_per_dim
from ...version import __version__
from .image_sources import image_generators, noise_levels, of_images
from .padded_batch import PaddedBatch, image_sizes, one_each
from .sampler_choice import build_sampler
from .settings import check_settings, check_weights, process_and_network
from .tiled_model import TiledEditModel
from .times import check_times, draw_times


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
        timesteps (str): Times of training: 'discrete', 1..T as published;
            'continuous', t ~ U(0, T], which makes every grid of a few-step
            sampler familiar to the network; or 'log_snr', uniform in the
            log-SNR from t = 1 to T, which ``LikelihoodLoss(importance=True)``
            wants.
        **kwargs: :class:`TiledEditModel`'s. ``test_cfg`` may have ``tile``
            (how large images are cut), ``seed`` (int, 0 by default),
            ``sigma``, the noise level of inputs that do not bring their own:
            a number in [0, 1] or 'estimate', and ``debias`` (bool): whether
            to undo the bias of the published objective; by default where the
            weights were trained with it and the sampler needs it.

    Raises:
        ConfigError: If a sampler, ``timesteps`` or ``tile`` is unknown, or
            the objective wants other times.
        ValueError: If an argument of a part is out of its range.
    """

    def __init__(self, generator: dict, sde: dict, sampler: Union[dict, str],
                 pixel_loss: dict, val_sampler: Union[dict, str] = 'fast',
                 timesteps: str = 'discrete', **kwargs) -> None:
        super().__init__(generator, pixel_loss, **kwargs)
        self.sde = DIFFUSION_SCHEDULERS.build(sde)
        check_times(timesteps, self.sde, self.pixel_loss)
        self.sampler = build_sampler(sampler, self.sde)
        self.val_sampler = build_sampler(val_sampler, self.sde)
        self.timesteps = timesteps
        self.trained_with(self.pixel_loss.objective)
        self.settings = dict(
            **process_and_network(dict(sde=sde, generator=generator)),
            objective=self.objective, timesteps=timesteps,
            version=__version__)

    def trained_with(self, objective: str) -> None:
        """Makes the samplers fit weights that an objective has trained.

        Args:
            objective (str): 'euler', 'exact', 'noise' or 'likelihood', the
                model's own until a checkpoint says something else.
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
        mu, x0 = map(self.sde.from_image, (inputs, data_samples.gt_img))
        t = draw_times(self.timesteps, self.sde, len(mu), mu.device)
        noise = torch.randn_like(x0)
        xt = self.sde.perturb(x0, mu, t, noise)
        noise_pred = self.predict_noise(xt, mu, t)
        return dict(loss=self.pixel_loss(
            self.sde, noise_pred, xt=xt, x0=x0, mu=mu, t=t, noise=noise))

    def predict_noise(self, xt: Tensor, mu: Tensor, t: Time) -> Tensor:
        """The network's noise (B, C, H, W) in a state at time t; states and
        mu in the range of the process."""
        return self.call_network(self.generator, xt, mu,
                                 t=self.sde.network_time(t))

    def bits_per_dim(self, inputs: Tensor, data_samples: DataSample,
                     num_times: int) -> Tensor:
        """A bound on -log2 p(x0 | mu), see :func:`likelihood.bits_per_dim`.

        Args:
            inputs (Tensor): Degraded images mu (B, C, H, W) in [0, 1].
            data_samples (DataSample): With ``gt_img``, the clean images.
            num_times (int): Network calls an image.

        Returns:
            Tensor: Bits (B,).
        """
        def noise_fn(xt: Tensor, mu: Tensor, t: Tensor) -> Tensor:
            noise = self.predict_noise(xt, mu, t)
            return self.sde.debias(noise, xt, mu, t) \
                if self.objective == 'euler' else noise

        return bits_per_dim(
            self.sde, noise_fn, data_samples.gt_img, inputs, num_times,
            self.image_generators(inputs, data_samples))

    def val_step(self, data: Any) -> List[DataSample]:
        """As testing, with the sampler of validation."""
        data = self.data_preprocessor(data, False)
        return self(**data, mode='predict', sampler=self.val_sampler)

    def forward_tensor(self, inputs: Tensor,
                       data_samples: Optional[DataSample] = None,
                       sampler: Optional[Sampler] = None,
                       generator: Generators = None,
                       callback: Optional[Callback] = None,
                       started: Optional[Callback] = None,
                       start: Optional[Tuple[Tensor, int]] = None) -> Tensor:
        """Restores a batch.

        Args:
            inputs (Tensor): Degraded images mu (B, C, H, W) in [0, 1].
            data_samples (DataSample, optional): Gives the images' names.
            sampler (Sampler, optional): In place of the model's own.
            generator: Source of noise in place of the images' own.
            callback: See :meth:`Sampler.sample`; gets states as images.
            started: Called before, as ``started(t, xt)`` with the start.
            start: ``(xt, t)`` in place of what :meth:`SDE.start` gives.

        Returns:
            Tensor: Restored images (B, C, H, W), not clipped.

        Raises:
            ConfigError: If process or sampler cannot start from the inputs.
        """
        generator = generator or self.image_generators(inputs, data_samples)
        h, w = inputs.shape[-2:]
        sizes = image_sizes(inputs, data_samples)
        sigmas = noise_levels(self.sde, (self.test_cfg or {}).get('sigma'),
                              inputs, data_samples, sizes)
        options = dict(sampler=self.unbiased(sampler or self.sampler),
                       callback=of_images(self.sde, callback),
                       started=of_images(self.sde, started), begin=start)
        with self.fast.restoring():
            if start is not None or len(set(sigmas)) == 1:
                restored = self._walk(
                    inputs, generator, sigmas[0], sizes, **options)
            else:  # they start at different times
                each = one_each(generator, len(inputs))
                restored = torch.cat([
                    self._walk(mu[None], [g], s, [size], **options)
                    for mu, g, s, size in zip(inputs, each, sigmas, sizes)])
        # a normal tensor: what follows may change it in place
        return restored[..., :h, :w].clone()

    def _walk(self, mu: Tensor, generator: Generators, sigma: Optional[float],
              sizes: List[Tuple[int, int]], sampler: Sampler,
              callback: Optional[Callback], started: Optional[Callback],
              begin: Optional[Tuple[Tensor, int]]) -> Tensor:
        mu = self.sde.from_image(mu)
        fill, draws, start = (lambda x: x), None, partial(
            self.sde.start, mu, generator, sigma)
        if set(sizes) != {tuple(mu.shape[-2:])}:
            batch = PaddedBatch(sizes, self.generator,
                                one_each(generator, len(mu)))
            mu, fill, draws = batch.fill(mu), batch.fill, batch.draws(mu)
            start = partial(batch.start, self.sde, mu, sigma)
        try:
            xt, t_start = begin or start()
            if t_start and t_start < self.sde.num_steps:
                sampler = sampler.at_most(t_start)
            if t_start:
                _, times = sampler.begin(self.sde, t_start)
                self.fast.walk(self.generator, map(
                    self.sde.network_time, times[:-1]))
        except ValueError as error:
            raise ConfigError(str(error)) from error
        if started is not None:
            started(t_start, xt)
        return self.sde.to_image(sampler.sample(
            self.sde, lambda x, t: self.predict_noise(fill(x), mu, t), xt, mu,
            t_start, generator, draws, callback))

    def padded_size(self, height: int, width: int) -> Tuple[int, int]:
        """As :meth:`TiledEditModel.padded_size`."""
        d = getattr(self.generator, 'divisor', 1) \
            if hasattr(self.generator, 'pad_mode') else 1
        return height + -height % d, width + -width % d

    def image_generators(self, inputs: Tensor,
                         data_samples: Optional[DataSample] = None
                         ) -> List[torch.Generator]:
        """One source of noise an image, see :func:`image_generators`."""
        return image_generators(
            inputs, data_samples, (self.test_cfg or {}).get('seed', 0))
