"""Loading of trained models for restoration."""
from importlib.util import find_spec
from pathlib import Path
from typing import Optional

from ..errors import CheckpointError, ConfigError, missing_package
from ..inference import ImagePipeline, RestorationPipeline
from ..inference.network_calls import Tile, check_tile
from ..io.files import is_graph
from ..model_files.bundled import find_bundled
from ..model_files.checkpoints import is_weights
from ..model_files.hub import find_on_hub
from ..model_files.pipelines import pipeline_of, read_pipeline
from ..model_files.settings import needs_registries


def init_restorer(model: str, checkpoint: Optional[str] = None,
                  device: Optional[str] = None, tile: Optional[Tile] = None):
    """Load a trained model for restoration.

    Exported files, checkpoints and bundled models that use only components
    of irsde_mm require torch alone. All other models are built by mmagic.

    Args:
        model (str): Path or name of a config ('irsde/derain'). Or a source
            that includes the weights: the work directory of a training run,
            an exported file, a checkpoint of irsde_mm, a folder in the layout
            of the Hugging Face Hub, ``hf://OWNER/NAME[@REVISION]`` on the
            Hub, or the name of a bundled model (:func:`bundled_models`).
            With spandrel installed, also a weights file of the community in
            the published layout of its architecture.
        checkpoint (str, optional): Weights. Without them, a model from a
            config is untrained.
        device (str, optional): 'cpu', 'cuda', 'cuda:1', ...; by default the
            first GPU if there is one.
        tile (int | str, optional): Tiling of large photos, overriding that of
            the model; see :class:`NetworkCalls`.

    Returns:
        RestorationPipeline, or for a model built by mmagic an ``nn.Module``
        in evaluation mode with the attribute ``cfg``. :func:`restore`
        accepts both.

    Raises:
        ConfigError, CheckpointError: If the model or its weights are missing,
            invalid, or do not match.
    """
    model = find_bundled(find_on_hub(model))
    if is_graph(model):
        raise CheckpointError(
            f"'{model}' is an exported graph, not a model: restore with "
            'irsde restore or irsde_mm.graphs.inferencer.GraphInferencer.')
    if not is_weights(model) or checkpoint is not None:
        return edit_models().build_model(model, checkpoint, device, tile)
    try:
        return model_in_file(model, device, tile)
    except CheckpointError:
        # without spandrel, the error is that of the file, not a missing extra
        found = find_spec('spandrel') and edit_models().community_model(
            model, device, tile)
        if not found:
            raise
        return found


def model_in_file(path: str, device: Optional[str], tile: Optional[Tile]):
    """Load a model from a file of irsde_mm, see :func:`init_restorer`."""
    settings, content = read_pipeline(path)
    if settings is not None and not needs_registries(settings):
        if tile is not None:
            settings = dict(settings, tile=check_tile(tile))
        return pipeline_of(path, settings, content, device)
    return edit_models().build_model(path, None, device, tile)


def open_pipeline(model: str, checkpoint: Optional[str] = None,
                  device: Optional[str] = None,
                  tile: Optional[Tile] = None,
                  self_ensemble: Optional[int] = None) -> ImagePipeline:
    """Load the pipeline of a trained model, see :func:`init_restorer`.

    Args:
        self_ensemble (int, optional): Flipped copies that each network call
            is averaged over, 1, 2, 4 or 8, overriding the setting of the
            model.

    Raises:
        ConfigError, CheckpointError: If the model or its weights are missing,
            invalid, or do not match.
    """
    model = find_bundled(find_on_hub(model))
    if checkpoint is None and not Path(model).is_dir() and (
            not is_weights(model)):
        from ..config import find_config
        find_config(model)
        raise CheckpointError(f"'{model}' is a config without weights: "
                              'specify a checkpoint with --checkpoint (in '
                              'Python: weights=).')
    pipeline = as_pipeline(init_restorer(model, checkpoint, device, tile))
    if self_ensemble is not None:
        diffusion_pipeline(pipeline, 'it has no self-ensemble'
                           ).self_ensemble = self_ensemble
    return pipeline


def as_pipeline(model) -> ImagePipeline:
    """Return the pipeline of a model returned by :func:`init_restorer`."""
    if isinstance(model, ImagePipeline):
        return model
    return edit_models().pipeline_of_model(model)


def diffusion_pipeline(model, what: str) -> RestorationPipeline:
    """Return the pipeline of a diffusion model.

    Args:
        model: Model returned by :func:`init_restorer`.
        what (str): End of the error message, the consequence.

    Raises:
        ConfigError: If the model has no process.
    """
    pipeline = as_pipeline(model)
    if not isinstance(pipeline, RestorationPipeline):
        raise ConfigError(f'{pipeline.name} is not a diffusion model: {what}.')
    return pipeline


def edit_models():
    """Import the module that builds models with mmagic.

    Raises:
        ConfigError: If mmagic is not installed. The message names the extra
            that installs it.
    """
    try:
        from . import edit_models as module
    except ImportError as error:
        raise missing_package(error) or error from error
    return module
