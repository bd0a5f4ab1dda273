"""Models as files of their own, which need no config."""
import json
from pathlib import Path
from typing import Dict, Optional

from ..config import dataloaders, load_config
from ..config.files import PACKAGED
from ..config.weights import config_of_pipeline
from ..config.trusted import check_model, detached
from ..errors import CheckpointError, ConfigError
from ..inference.presets import sampler_config
from ..model_files.exported import write_exported
from ..model_files.settings import (check_range, check_settings,
                                    needs_registries, without_files)
from ..models import IRSDERestorer, RefiningRestorer
from ..models.restorers.settings import plain


def export(model, path: Path, title: str,
           licence: Optional[str] = None) -> None:
    """Writes a model with weights and settings into one file.

    Args:
        model (nn.Module): What :func:`init_restorer` returns for a config.
        path (Path): The file, ``*.safetensors``, which must not exist.
        title (str): The model's title.
        licence (str, optional): Under what terms others may use it.

    Raises:
        ConfigError: If the model has parts that a file cannot name.
        OutputError: If it cannot be written.
    """
    cfg = plain(model.cfg.to_dict())
    texts = dict(title=title, licence=licence or 'not given',
                 source=source_of(model.cfg))
    try:
        texts.update(settings_of(model, cfg))
    except CheckpointError as error:  # what a reader would refuse
        raise ConfigError('the model cannot be exported: '
                          f'{error}') from error
    write_exported(path, {key: value.cpu() for key, value
                          in model.state_dict().items()}, texts)


def settings_of(model, cfg: dict) -> Dict[str, str]:
    """The settings of a model as texts of a file.

    Raises:
        ConfigError, CheckpointError: If a file cannot hold them.
    """
    if not isinstance(model, IRSDERestorer):
        config = detached(cfg['model'])
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
    """The settings of a restorer's pipeline as plain data.

    Raises:
        ConfigError, CheckpointError: If the model does more than a pipeline
            of its parts.
    """
    pipeline, given = model.pipeline, detached(cfg['model'])
    if type(model) not in (IRSDERestorer, RefiningRestorer):
        raise ConfigError('the model cannot be exported: '
                          f'{type(model).__name__} is not a model that a file '
                          'can name.')
    check_range(given.get('data_preprocessor') or {})
    output = dict(plain(model.settings['output']),
                  type=f'irsde_mm.{type(pipeline.output).__name__}')
    upscale = pipeline.upscaling
    return dict(
        network=given['generator'], initial=given.get('initial'),
        sde=given['sde'], output=output,
        sampler=sampler_config(given['sampler'], model.sde),
        seed=pipeline.seed, sigma=pipeline.sigma, order=pipeline.order,
        tile=model.calls.tile,
        inference=(given.get('test_cfg') or {}).get('inference'),
        upscale=upscale and dict(scale=upscale.scale, mode=upscale.mode),
        degradation=without_files(detached(cfg.get('degradation') or [])))


def source_of(cfg) -> str:
    """Name of the config of this package whose test set a config has, such as
    'irsde/derain', or ''.

    Looks at the config itself, or for the copy in a work folder at those of
    the same name.
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
    """The images and scores of a config's test, as plain values."""
    return plain([loader['dataset'] for loader in dataloaders(cfg, 'test')]
                 ), plain(cfg.get('test_evaluator'))
