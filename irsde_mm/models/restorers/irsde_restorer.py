"""The model that ties network, process, sampler and objective together."""
from typing import Any, Dict, List, Optional, Sequence, Union

import torch
from mmagic.structures import DataSample
from torch import Tensor

from ...errors import CheckpointError, ConfigError
from ...inference import Hooks, RestorationPipeline
from ...inference.noise import image_generators
from ...inference.image_pipeline import Callback, Start
from ...inference.trajectory import run_network
from ...inference.presets import build_sampler
from ...model_files.checkpoints import check_weights
from ...model_files.settings import check_range
from ...registry import DIFFUSION_SCHEDULERS, MODELS
from ...samplers.base import Sampler
from ...sde.base import Generators, Time
from ...sde.likelihood import bits_per_dim
from ...version import __version__
from .batches import image_names, image_sizes, own_noise_levels
from .settings import check_settings, measured_values, process_and_network
from .tiled_model import TiledEditModel
from .times import check_objective, check_times, draw_times

NOISE_OUTPUT = dict(type='irsde_mm.NoiseOutput')


def build_registered(config: dict) -> Any:
    """A registered process, output or sampler; a function, so that copies of
    a model do not copy the registry."""
    return DIFFUSION_SCHEDULERS.build(config)


@MODELS.register_module()
class IRSDERestorer(Hooks, TiledEditModel):
    """Trains and tests a :class:`RestorationPipeline`.

    Training (Luo et al., ICML 2023, algorithm 1): t ~ U{1..T} for each image,
    ``xt = sde.perturb(...)``, and the objective compares what the network
    predicts. Testing follows the reverse process with the sampler; each image
    has noise of its own, drawn from (test seed, image name), so that a result
    depends on neither batch, order nor number of processes.

    A latent or refining model overrides the methods of :class:`Hooks`.

    Args:
        generator (dict): Network, ``forward(xt, mu, t)``.
        sde (dict): Process.
        sampler (dict | str): Sampler of tests; a config, a preset or a name,
            see :func:`sampler_config`.
        pixel_loss (dict, optional): Objective; a model that only restores
            needs none.
        val_sampler (dict | str): Sampler of validation during training.
        timesteps (str): Times of training: 'discrete', 1..T as published;
            'continuous', t ~ U(0, T], which makes every grid of a few-step
            sampler familiar to the network; or 'log_snr', uniform in the
            log-SNR from t = 1 to T, for ``LikelihoodLoss(importance=True)``.
        output (dict): How the network's output is read, an :class:`Output`.
        **kwargs: :class:`TiledEditModel`'s. ``test_cfg`` may have ``seed``
            (int, 0 by default) and ``sigma``, the noise level of inputs that
            do not bring their own: a number in [0, 1] or 'estimate'.

    Attributes:
        pipeline (RestorationPipeline): Restores with these parts.
        objective (str): What the present weights were trained for; that of
            ``pixel_loss`` until a checkpoint says something else.

    Raises:
        ConfigError: If a sampler, ``timesteps`` or ``tile`` is unknown, or
            the objective needs other times; or if ``data_preprocessor``
            brings images to another range than [0, 1].
        ValueError: If an argument of a part is out of its range, or parts do
            not fit each other.
    """

    test_settings = TiledEditModel.test_settings | {'seed', 'sigma'}

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
        check_objective(self.pixel_loss, self.sde)
        check_times(timesteps, self.sde, self.pixel_loss)
        self.timesteps = timesteps
        options = self.test_cfg or {}
        self.pipeline = RestorationPipeline(
            self.generator, self.sde, sampler, self.output, hooks=self,
            calls=self.calls, seed=options.get('seed', 0),
            sigma=options.get('sigma'), order=self._colour_order(),
            build=build_registered)
        self.val_sampler = build_sampler(
            val_sampler, self.sde, self.output, build_registered)
        self._settings = process_and_network(dict(
            sde=sde, generator=generator, output=output))
        self.objective = ''
        self.trained_with(getattr(self.pixel_loss, 'objective', 'noise'))

    @property
    def sampler(self) -> Sampler:
        """The sampler of tests."""
        return self.pipeline.sampler

    @property
    def settings(self) -> dict:
        """Process, network, output, objective and times of training, as
        plain values that checkpoints keep."""
        output = dict(self._settings['output'], **self.measured)
        return dict(self._settings, output=output, objective=self.objective,
                    timesteps=self.timesteps, version=__version__)

    @property
    def measured(self) -> dict:
        """What the output measures on training data, None until it has."""
        return measured_values(self.output)

    def _colour_order(self) -> str:
        return getattr(self.data_preprocessor, 'output_channel_order',
                       None) or 'BGR'

    # ------------------------------------------------------------ checkpoints

    def trained_with(self, objective: str) -> None:
        """Reads the output as weights trained with an objective give it."""
        self.objective = objective
        self.pipeline.output = self.output.trained_with(objective)

    def check_checkpoint(self, checkpoint: dict) -> None:
        """Refuses a checkpoint that is not one of this model.

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
            check_settings(saved, self._settings)
        if 'state_dict' not in checkpoint:
            raise CheckpointError("the checkpoint has no 'state_dict'.")
        check_weights(checkpoint['state_dict'], self.state_dict())

    def adopt_settings(self, checkpoint: dict) -> None:
        """Takes over what belongs to a checkpoint's weights: the objective,
        and what its output measured on training data."""
        saved = checkpoint.get('meta', {}).get('irsde_mm')
        if saved is None:
            return
        self.adopt_output(saved.get('output') or {})
        self.trained_with(saved['objective'])

    def adopt_output(self, measured: dict) -> None:
        """Takes over what an output measured on training data."""
        for name in self.output.measured:
            if measured.get(name) is not None:
                setattr(self.output, name, measured[name])

    # --------------------------------------------------------------- training

    def forward_train(self, inputs: Tensor, data_samples: DataSample,
                      **kwargs) -> Dict[str, Tensor]:
        """The objective for one batch.

        Args:
            inputs (Tensor): Degraded images mu (B, C, H, W) in [0, 1].
            data_samples (DataSample): With ``gt_img``, the clean images.

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
        """x0 and mu in the range of the process, of images in [0, 1]."""
        with torch.no_grad():
            mu = self.encode(self.condition(inputs))[0]
            x0 = self.encode(clean)[0]
        return self.sde.from_image(x0), self.sde.from_image(mu)

    def call_network(self, xt: Tensor, mu: Optional[Tensor],
                     t: Time) -> Tensor:
        """The output of the network for a state at time t."""
        def call(network, *images, **kwargs):
            return network(*images, **kwargs)

        return run_network(call, self.generator, self.sde, xt, mu, t)

    def measure(self, batches: Sequence[dict]) -> None:
        """Measures on training data what the output needs, where it is not
        known yet.

        Args:
            batches (Sequence[dict]): As a training dataloader gives them.
        """
        pairs = [self.data_preprocessor(batch, True) for batch in batches]
        self.output.measure([self.states_of(
            pair['inputs'], pair['data_samples'].gt_img) for pair in pairs])

    # ---------------------------------------------------------------- testing

    def val_step(self, data: Any) -> List[DataSample]:
        """As testing, with the sampler of validation."""
        data = self.data_preprocessor(data, False)
        return self(**data, mode='predict', sampler=self.val_sampler)

    def forward_tensor(self, inputs: Tensor,
                       data_samples: Optional[DataSample] = None,
                       sampler: Optional[Sampler] = None,
                       generator: Generators = None,
                       callback: Optional[Callback] = None,
                       start: Optional[Start] = None) -> Tensor:
        """Restores a batch.

        Args:
            inputs (Tensor): Degraded images mu (B, C, H, W) in [0, 1].
            data_samples (DataSample, optional): Gives names, noise levels and
                padding of the images.
            sampler (Sampler, optional): In place of the model's own.
            generator: Source of noise, by default the images' own.
            callback: See :meth:`ImagePipeline.restore_batch`.
            start: ``(xt, t)`` in place of the start of the process.

        Returns:
            Tensor: Restored images (B, C, H, W), not clipped.

        Raises:
            ConfigError, ImageError: If the process cannot start from the
                inputs.
        """
        return self.pipeline.restore(
            inputs, sampler=sampler, names=image_names(inputs, data_samples),
            sigmas=own_noise_levels(data_samples),
            sizes=image_sizes(inputs, data_samples), start=start,
            generators=generator or self.image_generators(
                inputs, data_samples), callback=callback)

    def padded_size(self, height: int, width: int) -> tuple:
        """As :meth:`ImagePipeline.padded_size`."""
        return self.pipeline.padded_size(height, width)

    def image_generators(self, inputs: Tensor,
                         data_samples: Optional[DataSample] = None
                         ) -> List[torch.Generator]:
        """One source of noise an image, see :func:`image_generators`."""
        return image_generators(image_names(inputs, data_samples),
                                self.pipeline.seed, inputs.device)

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
        call = self.calls.once

        def noise_fn(xt: Tensor, mu: Tensor, t: Tensor) -> Tensor:
            return self.pipeline.denoiser(call, mu)(xt, t).noise

        return bits_per_dim(
            self.sde, noise_fn, data_samples.gt_img, self.condition(inputs),
            num_times, self.image_generators(inputs, data_samples))
