"""Source file of a pipeline, which saving it as a hub folder needs."""
from pathlib import Path
from typing import Any, Dict, NamedTuple, Optional

from torch import Tensor

from ..errors import ConfigError
from ..inference import RestorationPipeline
from .hub_folders import CARD

#: Components that plain settings describe; a replaced one cannot be stored.
PARTS = ('network', 'sde', 'output', 'sampler', 'hooks', 'calls')


class Origin(NamedTuple):
    """Description of the file of a pipeline.

    Args:
        settings (dict): Settings of the pipeline.
        texts (dict): ``title``, ``licence`` and ``source`` of the file.
        training (dict, optional): Training settings.
        card (Path): The model card, which may not exist: ``NAME.md`` next to
            ``NAME.safetensors``, or the ``README.md`` of a folder.
        parts (dict): Components of the pipeline when it was loaded.
    """
    settings: dict
    texts: Dict[str, str]
    training: Optional[dict]
    card: Path
    parts: Dict[str, Any]


def origin_of(pipeline: RestorationPipeline, path: Path, settings: dict,
              meta: dict) -> Origin:
    """Return the origin of a pipeline that was loaded from a file.

    Args:
        pipeline (RestorationPipeline): The pipeline.
        path (Path): The file or folder.
        settings (dict): Its pipeline settings.
        meta (dict): Its metadata.
    """
    exported = meta.get('exported', {})
    texts = dict(title=exported.get('title', path.stem),
                 licence=exported.get('licence', 'not given'),
                 source=exported.get('source', ''))
    card = path / CARD if path.is_dir() else path.with_suffix('.md')
    return Origin(settings, texts, meta.get('irsde_mm'), card,
                  {name: getattr(pipeline, name) for name in PARTS})


def current_settings(pipeline: RestorationPipeline) -> dict:
    """Return the settings of a pipeline as plain data.

    They are those of its file, with the values that were set since then.

    Raises:
        ConfigError: If the pipeline was not loaded from a file, or one of its
            components was replaced.
    """
    origin, upscale = pipeline.origin, pipeline.upscaling
    if origin is None:
        raise ConfigError(
            'the pipeline was not loaded from a file, so its settings are '
            'unknown: export the model with tools/export.py, and load the '
            'file.')
    for name, part in origin.parts.items():
        if getattr(pipeline, name) is not part:
            raise ConfigError(
                f'the {name} of the pipeline was replaced after loading, so '
                'its settings are unknown: load the pipeline again.')
    if pipeline.data_consistency is not None:
        raise ConfigError('a file does not store data_consistency: remove it, '
                          'and pass it when restoring.')
    stored = {key: value for key, value in origin.settings.items()
              if key != 'calibration'}
    return dict(
        stored, seed=pipeline.seed, sigma=pipeline.sigma,
        order=pipeline.order, crispness=pipeline.crispness,
        tile=pipeline.calls.tile,
        upscale=upscale and dict(scale=upscale.scale, mode=upscale.mode))


def current_weights(pipeline: RestorationPipeline) -> Dict[str, Tensor]:
    """Return the weights of a pipeline on the CPU, named as in files."""
    networks = zip(('generator', 'initial'),
                   (pipeline.network, *pipeline.hooks.networks()))
    return {f'{part}.{key}': value.cpu() for part, network in networks
            for key, value in network.state_dict().items()}
