"""Export of models to single files that need no config."""
import json
from pathlib import Path
from typing import Dict, Optional

from torch import Tensor

from ..config import dataloaders, load_config
from ..config.files import PACKAGED
from ..config.weights import config_of_pipeline
from ..config.trusted import check_model, detached
from ..errors import CheckpointError, ConfigError
from ..inference.presets import sampler_config
from ..model_files.exported import write_exported
from ..model_files.settings import (check_range, check_settings,
                                    needs_registries, without_files)
from ..models import IRSDERestorer, LatentRestorer, RefiningRestorer
from ..models.restorers.settings import plain


def export(model, path: Path, title: str,
           licence: Optional[str] = None, half: bool = False) -> None:
    """Export a model with weights and settings to one file.

    Args:
        model (nn.Module): Model returned by :func:`init_restorer` for a
            config.
        path (Path): The file, ``*.safetensors``, which must not exist.
        title (str): Title of the model.
        licence (str, optional): License terms of the model.
        half (bool): Whether to store the weights in float16, which halves the
            file. Loaded models compute in float32.

    Raises:
        ConfigError: If a file cannot describe a component of the model, or
            if float16 cannot represent a weight.
        OutputError: If the file cannot be written.
    """
    cfg = plain(model.cfg.to_dict())
    texts = dict(title=title, licence=licence or 'not given',
                 source=source_of(model.cfg))
    try:
        texts.update(settings_of(model, cfg))
    except CheckpointError as error:  # the file would be rejected on loading
        raise ConfigError('the model cannot be exported: '
                          f'{error}') from error
    weights = {key: value.cpu() for key, value in model.state_dict().items()}
    write_exported(path, in_half(weights) if half else weights, texts)


def in_half(weights: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """Convert floating-point weights to float16.

    Raises:
        ConfigError: If one is too large.
    """
    converted = {key: value.half() if value.is_floating_point() else value
                 for key, value in weights.items()}
    for key, value in converted.items():
        if value.is_floating_point() and not value.isfinite().all():
            raise ConfigError(f"the weight '{key}' is too large for float16: "
                              'export without --half.')
    return converted


def settings_of(model, cfg: dict) -> Dict[str, str]:
    """Return the settings of a model as metadata of an exported file.

    Raises:
        ConfigError, CheckpointError: If a file cannot store them.
    """
    if not isinstance(model, IRSDERestorer):
        config = detached(cfg['model'])
        if 'pixel_loss' in config:  # it restores nothing and may read files
            config['pixel_loss'] = dict(type='mmagic.L1Loss')
        check_model(config)
        return dict(model=to_text(config))
    settings = settings_of_pipeline(model, cfg)
    check_settings(settings)
    if needs_registries(settings):
        check_model(config_of_pipeline(settings, model.settings))
    return dict(pipeline=to_text(settings), settings=to_text(model.settings))


def to_text(value: dict) -> str:
    return json.dumps(value, allow_nan=False)


def settings_of_pipeline(model: IRSDERestorer, cfg: dict) -> dict:
    """Return the settings of a restorer's pipeline as plain data.

    Raises:
        ConfigError, CheckpointError: If the model cannot be represented by a
            pipeline.
    """
    pipeline, given = model.pipeline, detached(cfg['model'])
    if type(model) not in (IRSDERestorer, LatentRestorer, RefiningRestorer):
        raise ConfigError('the model cannot be exported: '
                          f'{type(model).__name__} is not supported.')
    check_range(given.get('data_preprocessor') or {})
    if pipeline.data_consistency is not None:
        raise ConfigError(
            'the model cannot be exported: a file does not store '
            'test_cfg.data_consistency; remove it, and pass data_consistency '
            'when restoring.')
    output = dict(plain(model.settings['output']),
                  type=f'irsde_mm.{type(pipeline.output).__name__}')
    upscale = pipeline.upscaling
    return dict(
        network=given['generator'], initial=given.get('initial'),
        autoencoder=given.get('autoencoder'),
        sde=given['sde'], output=output,
        sampler=sampler_config(given['sampler'], model.sde, model.output),
        seed=pipeline.seed, sigma=pipeline.sigma, order=pipeline.order,
        crispness=pipeline.crispness, tile=model.calls.tile,
        inference=(given.get('test_cfg') or {}).get('inference'),
        upscale=upscale and dict(scale=upscale.scale, mode=upscale.mode),
        degradation=without_files(detached(cfg.get('degradation') or [])))


def source_of(cfg) -> str:
    """Find the config of this package that has the test set of a config.

    If ``cfg`` is the copy in a work directory, the configs of the same name
    are compared with it.

    Returns:
        str: Name of the config, such as 'irsde/derain', or ''.
    """
    path = Path(cfg.filename or '').resolve()
    root = PACKAGED.resolve()
    candidates = [path] if path.is_relative_to(root) else sorted(
        root.glob(f'*/**/{path.stem}.py'))
    for candidate in candidates:
        if dataloaders(cfg, 'test') and test_set(
                load_config(str(candidate))) == test_set(cfg):
            return str(candidate.relative_to(root).with_suffix(''))
    return ''


def test_set(cfg) -> tuple:
    """Return the datasets and metrics of a config's test as plain values."""
    return plain([loader['dataset'] for loader in dataloaders(cfg, 'test')]
                 ), plain(cfg.get('test_evaluator'))
