"""Restoration model with a network, process, sampler and objective."""
from typing import Any, Dict, List, Optional, Sequence, Union

import torch
from mmagic.structures import DataSample
from torch import Tensor

from ...errors import CheckpointError, ConfigError
from ...inference import Hooks, RestorationPipeline
from ...inference.data_consistency import data_consistency
from ...inference.noise import image_generators
from ...inference.image_pipeline import Callback, Start
from ...inference.trajectory import run_network
from ...inference.presets import build_sampler
from ...model_files.checkpoints import check_weights
from ...model_files.settings import check_range
from ...registry import DIFFUSION_SCHEDULERS, MODELS
from ...samplers.base import Sampler
from ...sde.base import Generators, Time
from ...sde.predictions import Prediction
from ...sde.likelihood import bits_per_dim
from ...version import __version__
from ..losses.sums import SumLoss
from .batches import image_names, image_sizes, sample_noise_levels
from .settings import (check_settings, full_settings, measured_values,
                       process_and_network, smaller)
from .tiled_model import TiledEditModel
from .times import check_objective, check_output, check_times, draw_times

NOISE_OUTPUT = dict(type='irsde_mm.NoiseOutput')


def build_registered(config: dict) -> Any:
    """Build a registered process, output or sampler.

    A plain function, so that copying a model does not copy the registry.
    """
    return DIFFUSION_SCHEDULERS.build(config)


@MODELS.register_module()
class IRSDERestorer(Hooks, TiledEditModel):
    """Model that trains and tests a :class:`RestorationPipeline`.

    Training (Luo et al., ICML 2023, algorithm 1): draw t ~ U{1..T} for each
    image, compute ``xt = sde.perturb(...)``, and apply the objective to the
    network's prediction. Testing solves the reverse process with the sampler.
    The noise of each image is seeded with (test seed, image name), so results
    do not depend on the batch, the order of the images or the number of
    processes.

    Latent and refining models override the methods of :class:`Hooks`.

    Args:
        generator (dict): The network, ``forward(xt, mu, t)``.
        sde (dict): The process.
        sampler (dict | str): Sampler for testing; a config, preset or name,
            see :func:`sampler_config`.
        pixel_loss (dict, optional): Objective; not needed for inference. A
            pixel loss compares the predicted with the true clean image, see
            :class:`SumLoss`.
        val_sampler (dict | str): Sampler for validation during training.
        timesteps (str): Distribution of training times: 'discrete', 1..T as
            published; 'late', t = T sqrt(u) rounded up, which draws the
            times where few-step samplers start more often; 'continuous',
            t ~ U(0, T], which trains the network on the fractional times of
            few-step samplers; or 'log_snr', uniform in the log-SNR from
            t = 1 to T, for ``LikelihoodLoss(importance=True)``.
        output (dict): Parameterization of the network output, an
            :class:`Output`.
        **kwargs: Arguments of :class:`TiledEditModel`. ``test_cfg`` may
            contain ``seed`` (int, 0 by default); ``sigma``, the noise level
            of inputs without a level of their own: a number in [0, 1] or
            'estimate'; ``crispness``, see
            :meth:`ImagePipeline.restore_batch`, which validation ignores; and
            ``data_consistency``, see :func:`data_consistency`.

    Attributes:
        pipeline (RestorationPipeline): Pipeline with these components.
        objective (str): Objective of the current weights; that of
            ``pixel_loss`` until a checkpoint with another one is loaded.

    Raises:
        ConfigError: If a sampler, ``timesteps`` or ``tile`` is unknown, if
            ``timesteps`` does not match the objective, or if
            ``data_preprocessor`` maps images to another range than [0, 1].
        ValueError: If an argument of a component is out of range, or the
            components are not compatible.
    """

    test_settings = TiledEditModel.test_settings | {
        'seed', 'sigma', 'crispness', 'data_consistency'}

    def __init__(self, generator: dict, sde: dict, sampler: Union[dict, str],
                 pixel_loss: Optional[dict] = None,
                 val_sampler: Union[dict, str] = 'fast',
                 timesteps: str = 'discrete', output: dict = NOISE_OUTPUT,
                 **kwargs) -> None:
        super().__init__(generator, pixel_loss, **kwargs)
        try:
            check_range(dict(kwargs.get('data_preprocessor') or {}))
        except CheckpointError as error:
            raise ConfigError(f'the model cannot be built: {error}'
                              ) from error
        self.sde = DIFFUSION_SCHEDULERS.build(sde)
        self.output = DIFFUSION_SCHEDULERS.build(output)
        if self.pixel_loss is not None and not hasattr(
                self.pixel_loss, 'objective'):
            self.pixel_loss = SumLoss([self.pixel_loss])
        check_objective(self.pixel_loss, self.sde)
        check_output(self.pixel_loss, self.output)
        check_times(timesteps, self.sde, self.pixel_loss)
        self.timesteps = timesteps
        options = self.test_cfg or {}
        self.pipeline = RestorationPipeline(
            self.generator, self.sde, sampler, self.output, hooks=self,
            calls=self.calls, seed=options.get('seed', 0),
            sigma=options.get('sigma'), order=self._channel_order(),
            crispness=options.get('crispness'),
            data_consistency=data_consistency(
                options.get('data_consistency'), build_registered),
            build=build_registered)
        self.val_sampler = build_sampler(
            val_sampler, self.sde, self.output, build_registered)
        self._settings = process_and_network(dict(
            sde=sde, generator=generator, output=output))
        self.objective = ''
        self.trained_with(getattr(self.pixel_loss, 'objective', 'noise'))

    @property
    def sampler(self) -> Sampler:
        """Sampler for testing."""
        return self.pipeline.sampler

    @property
    def settings(self) -> dict:
        """Process, network, output, objective and training times, as plain
        values to save in checkpoints."""
        output = dict(self._settings['output'], **self.measured)
        return dict(self._settings, output=output, objective=self.objective,
                    timesteps=self.timesteps, version=__version__)

    @property
    def measured(self) -> dict:
        """Values that the output measures on the training data, None until
        measured."""
        return measured_values(self.output)

    def _channel_order(self) -> str:
        return getattr(self.data_preprocessor, 'output_channel_order',
                       None) or 'BGR'

    # ------------------------------------------------------------ checkpoints

    def trained_with(self, objective: str) -> None:
        """Interpret the network output according to an objective."""
        self.objective = objective
        self.pipeline.output = self.output.trained_with(objective)

    def check_checkpoint(self, checkpoint: dict, own: Optional[dict] = None,
                         start: bool = False) -> List[str]:
        """Check that a checkpoint matches this model.

        Args:
            checkpoint (dict): Checkpoint with ``state_dict`` and optionally
                ``meta``. Without the settings of irsde_mm, only the names and
                shapes of the weights are compared.
            own (dict, optional): Weights of this model, if its own are
                sharded.
            start (bool): See :func:`check_settings`.

        Returns:
            list[str]: Settings that differ, which only a start may have.

        Raises:
            CheckpointError: If settings or weights differ.
        """
        saved = checkpoint.get('meta', {}).get('irsde_mm')
        differing = [] if saved is None else check_settings(
            saved, self._settings, start)
        if 'state_dict' not in checkpoint:
            raise CheckpointError("the checkpoint has no 'state_dict'.")
        own = dict(self.state_dict() if own is None else own)
        if saved is not None and start:
            for name in self._new_weights(saved):
                del own[name]
        check_weights(checkpoint['state_dict'], own)
        return differing

    def _new_weights(self, saved: dict) -> List[str]:
        """Return the names of the weights of the blocks that the network of a
        checkpoint does not have."""
        sizes = smaller(full_settings(MODELS, saved['generator']),
                        self._settings['generator'])
        return ['generator.' + name for name in self.generator.blocks_beyond(
            **sizes)] if sizes else []

    def adopt_settings(self, checkpoint: dict) -> None:
        """Adopt the objective of a checkpoint and the values that its output
        measured on the training data."""
        saved = checkpoint.get('meta', {}).get('irsde_mm')
        if saved is None:
            return
        self.adopt_output(saved.get('output') or {})
        self.trained_with(saved['objective'])

    def adopt_output(self, measured: dict) -> None:
        """Adopt the values that an output measured on the training data."""
        for name in self.output.measured:
            if measured.get(name) is not None:
                setattr(self.output, name, measured[name])

    # --------------------------------------------------------------- training

    def forward_train(self, inputs: Tensor, data_samples: DataSample,
                      **kwargs) -> Dict[str, Tensor]:
        """Return the loss of one batch.

        Args:
            inputs (Tensor): Degraded images mu (B, C, H, W) in [0, 1].
            data_samples (DataSample): Samples with the clean images,
                ``gt_img``.

        Returns:
            dict: ``loss``.
        """
        self.check_trainable()
        loss, sde = self.pixel_loss, self.sde
        if self.objective != loss.objective:
            self.trained_with(loss.objective)
        output = self.output
        if getattr(loss, 'needs_euler_form', False):
            output = output.for_euler_steps()
        x0, mu = self.states_of(inputs, data_samples.gt_img)
        t = draw_times(self.timesteps, sde, output, len(mu), mu.device)
        noise = torch.randn_like(x0)
        xt = sde.perturb(x0, mu, t, noise)
        out = self.call_network(xt, mu, t)
        return dict(loss=loss(
            sde, output.decode(sde, out, xt, mu, t), output=out,
            target=output.target(sde, xt, x0, mu, t, noise), xt=xt, x0=x0,
            mu=mu, t=t, noise=noise, weight=output.weight(sde, t)))

    def states_of(self, inputs: Tensor, clean: Tensor) -> tuple:
        """Return x0 and mu in the range of the process for images in
        [0, 1]."""
        with torch.no_grad():
            mu = self.encode(self.condition(inputs))[0]
            x0 = self.encode(clean)[0]
        return self.sde.from_image(x0), self.sde.from_image(mu)

    def call_network(self, xt: Tensor, mu: Optional[Tensor],
                     t: Time) -> Tensor:
        """Return the network output for a state at time t."""
        def call(network, *images, **kwargs):
            return network(*images, **kwargs)

        return run_network(call, self.generator, self.sde, xt, mu, t)

    def estimate(self, xt: Tensor, mu: Optional[Tensor],
                 t: Time) -> Prediction:
        """Return the estimates for a state at time t."""
        return self.output.decode(
            self.sde, self.call_network(xt, mu, t), xt, mu, t)

    def measure(self, batches: Sequence[dict]) -> None:
        """Measure missing values of the output on the training data.

        Args:
            batches (Sequence[dict]): Batches of a training dataloader.
        """
        pairs = [self.data_preprocessor(batch, True) for batch in batches]
        self.output.measure([self.states_of(
            pair['inputs'], pair['data_samples'].gt_img) for pair in pairs])

    # ---------------------------------------------------------------- testing

    def val_step(self, data: Any) -> List[DataSample]:
        """Run a test step with the validation sampler."""
        data = self.data_preprocessor(data, False)
        return self(**data, mode='predict', sampler=self.val_sampler,
                    crispness=1.)

    def forward_tensor(self, inputs: Tensor,
                       data_samples: Optional[DataSample] = None,
                       sampler: Optional[Sampler] = None,
                       generator: Generators = None,
                       crispness: Optional[float] = None,
                       callback: Optional[Callback] = None,
                       start: Optional[Start] = None) -> Tensor:
        """Restore a batch.

        Args:
            inputs (Tensor): Degraded images mu (B, C, H, W) in [0, 1].
            data_samples (DataSample, optional): Samples with the names, noise
                levels and padding of the images.
            sampler (Sampler, optional): Overrides the model's sampler.
            generator: Noise generator; by default, one per image.
            crispness, callback: See :meth:`ImagePipeline.restore_batch`.
            start: ``(xt, t)`` to use instead of the start of the process.

        Returns:
            Tensor: Restored images (B, C, H, W), not clipped.

        Raises:
            ConfigError, ImageError: If the process cannot start from the
                inputs.
        """
        return self.pipeline.restore(
            inputs, sampler=sampler, names=image_names(inputs, data_samples),
            sigmas=sample_noise_levels(data_samples),
            sizes=image_sizes(inputs, data_samples), start=start,
            generators=generator or self.image_generators(
                inputs, data_samples), crispness=crispness,
            callback=callback)

    def padded_size(self, height: int, width: int) -> tuple:
        """Return the padded size, see :meth:`ImagePipeline.padded_size`."""
        return self.pipeline.padded_size(height, width)

    def image_generators(self, inputs: Tensor,
                         data_samples: Optional[DataSample] = None
                         ) -> List[torch.Generator]:
        """Return a noise generator per image, see :func:`image_generators`."""
        return image_generators(image_names(inputs, data_samples),
                                self.pipeline.seed, inputs.device)

    def bits_per_dim(self, inputs: Tensor, data_samples: DataSample,
                     num_times: int) -> Tensor:
        """Estimate a bound on -log2 p(x0 | mu), see
        :func:`likelihood.bits_per_dim`.

        Args:
            inputs (Tensor): Degraded images mu (B, C, H, W) in [0, 1].
            data_samples (DataSample): Samples with the clean images,
                ``gt_img``.
            num_times (int): Number of network calls per image.

        Returns:
            Tensor: Bits per dimension (B,).
        """
        call = self.calls.once

        def noise_fn(xt: Tensor, mu: Tensor, t: Tensor) -> Tensor:
            return self.pipeline.denoiser(call, mu)(xt, t).noise

        return bits_per_dim(
            self.sde, noise_fn, data_samples.gt_img, self.condition(inputs),
            num_times, self.image_generators(inputs, data_samples))
