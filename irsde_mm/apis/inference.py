"""A trained model, ready to restore."""
from pathlib import Path
from typing import Optional

from ..errors import CheckpointError, ConfigError, missing_package
from ..inference import ImagePipeline, RestorationPipeline
from ..inference.network_calls import Tile, check_tile
from ..model_files.bundled import find_bundled
from ..model_files.checkpoints import is_weights
from ..model_files.pipelines import pipeline_of, read_pipeline
from ..model_files.settings import needs_registries


def init_restorer(model: str, checkpoint: Optional[str] = None,
                  device: Optional[str] = None, tile: Optional[Tile] = None):
    """Opens a trained model, ready to restore.

    An exported file, a checkpoint and a bundled model of our own components
    need torch alone; everything else is built by mmagic.

    Args:
        model (str): A config's path or name ('irsde/derain'); or the work
            folder of a training run, an exported file, a checkpoint of ours
            or the name of a bundled model (:func:`bundled_models`), which
            give the weights too.
        checkpoint (str, optional): Weights; without them a model from a
            config is untrained.
        device (str, optional): 'cpu', 'cuda', 'cuda:1', ...; by default the
            first GPU if there is one.
        tile (int | str, optional): How large photos are cut, in place of what
            the model says; see :class:`NetworkCalls`.

    Returns:
        RestorationPipeline, or the ``nn.Module`` of a config in evaluation
        mode, its config as ``cfg``. :func:`restore` takes both.

    Raises:
        ConfigError, CheckpointError: If one is missing or does not fit.
    """
    model = find_bundled(model)
    if is_weights(model) and checkpoint is None:
        settings, weights = read_pipeline(model)
        if settings is not None and not needs_registries(settings):
            if tile is not None:
                settings = dict(settings, tile=check_tile(tile))
            return pipeline_of(model, settings, weights, device)
    return edit_models().build_model(model, checkpoint, device, tile)


def open_pipeline(model: str, checkpoint: Optional[str] = None,
                  device: Optional[str] = None,
                  tile: Optional[Tile] = None) -> ImagePipeline:
    """The pipeline of a trained model, see :func:`init_restorer`.

    Raises:
        ConfigError, CheckpointError: If one is missing or does not fit, or a
            config comes without weights.
    """
    model = find_bundled(model)
    if checkpoint is None and not Path(model).is_dir() and (
            not is_weights(model)):
        from ..config import find_config
        find_config(model)
        raise CheckpointError(f"'{model}' is a config: say with --checkpoint "
                              '(in Python: weights=) which weights to use.')
    return as_pipeline(init_restorer(model, checkpoint, device, tile))


def as_pipeline(model) -> ImagePipeline:
    """The pipeline of what :func:`init_restorer` returns."""
    if isinstance(model, ImagePipeline):
        return model
    return edit_models().pipeline_of_model(model)


def diffusion_pipeline(model, what: str) -> RestorationPipeline:
    """The pipeline of a diffusion model.

    Raises:
        ConfigError: If the model has no process, naming what needs one.
    """
    pipeline = as_pipeline(model)
    if not isinstance(pipeline, RestorationPipeline):
        raise ConfigError(f'{pipeline.name} is not a diffusion model: {what}.')
    return pipeline


def edit_models():
    """The module of models that mmagic builds, imported when it is needed.

    Raises:
        ConfigError: If mmagic is not installed, with the extra to install.
    """
    try:
        from . import edit_models as module
    except ImportError as error:
        raise missing_package(error) or error from error
    return module
