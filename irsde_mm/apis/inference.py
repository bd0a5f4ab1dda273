"""A trained model, ready to restore."""
import copy
from pathlib import Path
from typing import Any, Optional, Tuple, Union

import torch

from ..errors import ConfigError
from ..datasets.transforms import Upsample
from ..registry import MODELS, TRANSFORMS
from ..samplers.base import Sampler
from .boxed import find_boxed
from .checkpoint import find_run, load_weights
from .configs import complete_model, is_weights, load_config


def init_restorer(model: str, checkpoint: Optional[str] = None,
                  device: Optional[str] = None,
                  tile: Union[None, int, str] = None):
    """Builds a restorer with its weights, ready to restore.

    Args:
        model (str): A config's path or name ('irsde/derain'); or the work
            folder of a training run, an exported file, a checkpoint of ours
            or the name of a model in the box (:func:`boxed_models`), which
            give the weights too.
        checkpoint (str, optional): Weights; without them a model from a
            config is untrained.
        device (str, optional): 'cpu', 'cuda', 'cuda:1', ...; by default the
            first GPU if there is one.
        tile (int | str, optional): How large photos are cut: 'auto', 'off'
            or the longest side of a tile in pixels, in place of what the
            config says; see :class:`TiledEditModel`.

    Returns:
        nn.Module: The model in evaluation mode, its config as ``cfg``.

    Raises:
        ConfigError, CheckpointError: If one is missing or does not fit.
    """
    return restorer_from_config(*find_model(model, checkpoint), device, tile)


def find_model(model: str, checkpoint: Optional[str] = None
               ) -> Tuple[Any, Optional[str]]:
    """The config that a model's name or path leads to, and its weights.

    Args:
        model, checkpoint: See :func:`init_restorer`.

    Raises:
        ConfigError, CheckpointError: If there is none.
    """
    model = find_boxed(model)
    if Path(model).is_dir():
        config, found = find_run(model)
        return load_config(str(config)), checkpoint or str(found)
    if is_weights(model):
        checkpoint = checkpoint or model
    return load_config(model), checkpoint


def restorer_from_config(cfg, checkpoint: Optional[str] = None,
                         device: Optional[str] = None,
                         tile: Union[None, int, str] = None):
    """As :func:`init_restorer`, from a config that is already read."""
    from mmengine.registry import DefaultScope
    device = check_device(device)
    with DefaultScope.overwrite_default_scope(
            cfg.get('default_scope', 'mmagic')):
        complete_model(cfg, tile)
        restorer = MODELS.build(cfg.model)
    if checkpoint is not None:
        load_weights(restorer, checkpoint)
    restorer.cfg = cfg
    restorer.upsample = find_upsample(cfg)
    # there is no ground truth to look for
    restorer.data_preprocessor.data_keys = None
    return restorer.to(device).eval()


def find_upsample(cfg) -> Optional[Upsample]:
    """The transform that enlarges images for a super-resolution model, which
    photos need as the images of its test set do; None for other models."""
    loader = cfg.get('test_dataloader') or cfg.get('val_dataloader')
    loader = loader[0] if isinstance(loader, list) else loader
    for step in loader.dataset.get('pipeline', []) if loader else []:
        if step.get('type') == 'irsde_mm.Upsample':
            return TRANSFORMS.build(step)
    return None


def enlargement(model) -> int:
    """How many times larger than a photo its restored image is."""
    upsample = getattr(model, 'upsample', None)
    return upsample.scale if upsample else 1


def check_device(device: Optional[str]) -> torch.device:
    """The device of that name, or the best there is.

    Raises:
        ConfigError: If it is unknown or not there.
    """
    if device is None:
        device = 'cuda' if torch.cuda.is_available() else 'cpu'
    try:
        torch.empty(0, device=device)
        return torch.device(device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(f"the device '{device}' cannot be used: "
                          f'{str(error).splitlines()[0]}') from None


def choose_sampler(model, sampler: Union[None, str, dict, Sampler] = None,
                   steps: Optional[int] = None) -> Sampler:
    """The model's sampler, or another one, with another number of steps.

    Args:
        model: A model with ``sampler``.
        sampler: A preset or one of ``SAMPLERS`` (with the steps and clamp of
            the model's own), a sampler's config, or a sampler.
        steps (int, optional): Steps, which is network calls.

    Raises:
        ConfigError: If the sampler is unknown, the steps do not fit the
            process, or the model has no sampler to exchange.
    """
    if not hasattr(model, 'sampler'):
        raise ConfigError(f'{type(model).__name__} is no diffusion model: it '
                          'takes neither sampler nor steps.')
    if steps is not None and type(steps) is not int:
        raise ConfigError(f'steps={steps!r} is no whole number.')
    if steps is not None and steps < 1:
        raise ConfigError(f'steps={steps} is less than 1.')
    from ..models.restorers.sampler_choice import build_sampler, sampler_config
    try:
        if isinstance(sampler, (str, dict)):
            own = dict(num_steps=model.sampler.num_steps,
                       clamp=model.sampler.clamp)
            return build_sampler(
                sampler_config(sampler, model.sde, own, steps), model.sde)
        sampler = copy.copy(sampler or model.sampler)
        if steps is not None:
            sampler.num_steps = steps
        sampler.begin(model.sde, model.sde.num_steps)
    except (ValueError, TypeError) as error:
        raise ConfigError(f'the sampler cannot be used: {error}') from error
    return sampler


def image_channels(model) -> int:
    """Channels of the images that a model restores."""
    return getattr(model.generator, 'in_channels',
                   getattr(model.generator, 'img_channels', 3))
