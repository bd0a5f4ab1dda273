"""Models as files of their own: weights and all that using them takes."""
import json
from pathlib import Path
from typing import Any, Optional, Tuple

from ..errors import CheckpointError, ConfigError
from ..models.restorers.settings import check_form, plain
from ..weight_files import write_exported
from .checkpoint import read_checkpoint
from .foreign import SECTIONS, check_config, reads_elsewhere, try_model

#: How a machine loads data says nothing about the data.
WORKERS = ('num_workers', 'persistent_workers', 'pin_memory',
           'prefetch_factor')
OBJECTIVES = dict(
    euler=dict(type='irsde_mm.MaximumLikelihoodLoss'),
    exact=dict(type='irsde_mm.MaximumLikelihoodLoss', exact=True),
    noise=dict(type='irsde_mm.NoiseMatchingLoss'),
    likelihood=dict(type='irsde_mm.LikelihoodLoss'))


def config_of_weights(path: str) -> dict:
    """The config that a weights file brings along, see :mod:`.foreign`.

    An exported file has one. Of a checkpoint of ours, the settings that it
    was trained with make one that restores with the preset 'balanced'.

    Returns:
        dict: ``model``, and from exported files what tests need.

    Raises:
        CheckpointError: If the file is none, does not say what it was
            trained with, or asks for what a file must not.
    """
    checkpoint = read_checkpoint(path)
    meta = checkpoint['meta']
    try:
        if isinstance(meta.get('exported'), dict):
            config = meta['exported'].get('config')
        elif 'irsde_mm' in meta:
            config = dict(model=model_of_settings(meta['irsde_mm']))
        else:
            raise CheckpointError('it does not say what it was trained with; '
                                  'name its config as the model and the file '
                                  'as the checkpoint.')
        check_config(config)
        try_model(config['model'], checkpoint['state_dict'])
    except CheckpointError as error:
        raise CheckpointError(f"'{path}': {error}") from error
    return config


def model_of_settings(settings: dict) -> dict:
    """The model that a checkpoint's ``meta['irsde_mm']`` tells of.

    Raises:
        CheckpointError: If they are not in the form that irsde_mm writes.
    """
    check_form(settings)
    if settings['objective'] not in OBJECTIVES:
        raise CheckpointError(f"its objective {settings['objective'][:40]!r} "
                              f'is none of {", ".join(OBJECTIVES)}: name its '
                              'config as the model and the file as the '
                              'checkpoint.')
    channels = settings['generator'].get(
        'img_channels', settings['generator'].get('in_channels', 3))
    if channels not in (1, 3):
        raise CheckpointError(f'its images have {channels!r} channels, not 1 '
                              'or 3.')
    kind = dict(type='irsde_mm.IRSDERestorer')
    if 'initial' in settings:
        kind = dict(type='irsde_mm.RefiningRestorer',
                    initial=settings['initial'])
    return dict(
        **kind,
        generator=settings['generator'],
        sde=settings['sde'],
        sampler='balanced',
        test_cfg=dict(sigma='estimate'),
        pixel_loss=OBJECTIVES[settings['objective']],
        data_preprocessor=dict(
            type='mmagic.DataPreprocessor', mean=[0.] * channels,
            std=[255.] * channels,
            output_channel_order='RGB' if channels == 3 else None))


def export(model, path: Path, title: str,
           licence: Optional[str] = None) -> Optional[str]:
    """Writes a model with weights and config into one file.

    Args:
        model: What :func:`init_restorer` returns.
        path (Path): The file, ``*.safetensors``, which must not exist.
        title (str): What the model is called.
        licence (str, optional): Under what terms others may use it.

    Returns:
        Why the test set is not in the file, or None if it is.

    Raises:
        ConfigError: If the file could not be read again: the model is none
            that restores images, or has parts that are registered elsewhere.
        OutputError: If it cannot be written.
    """
    weights = {key: value.cpu() for key, value in model.state_dict().items()}
    config, left_out = portable(model.cfg)
    try:
        try_model(config['model'], weights)
    except CheckpointError as error:
        raise ConfigError(f'the model cannot be exported: {error}') from error
    texts = dict(title=title, licence=licence or 'not given',
                 config=json.dumps(config, allow_nan=False))
    if hasattr(model, 'settings'):
        # the objective of the weights, where a config says another
        texts['settings'] = json.dumps(
            dict(model.settings, objective=model.objective))
    write_exported(path, weights, texts)
    return left_out


def portable(cfg) -> Tuple[dict, Optional[str]]:
    """The part of a config that a weights file can bring along.

    Args:
        cfg (Config): The model's.

    Returns:
        The part, without the test set if that cannot be in a file, and why
        it cannot.

    Raises:
        ConfigError: If the model cannot be in a file.
    """
    cfg = plain(cfg.to_dict())
    config = dict(model=detached(cfg['model']))
    try:
        check_config(config)
    except CheckpointError as error:
        raise ConfigError(f'the model cannot be exported: {error}') from error
    if not cfg.get('test_dataloader'):
        return config, 'the config has no test set'
    test = {key: detached(cfg[key]) for key in SECTIONS
            if key != 'model' and cfg.get(key) is not None}
    loaders = test['test_dataloader']
    for loader in loaders if isinstance(loaders, list) else [loaders]:
        for key in WORKERS:
            loader.pop(key, None)
    try:
        check_config(dict(config, **test))
    except CheckpointError as error:
        return config, str(error)
    return dict(config, **test), None


def detached(value: Any) -> Any:
    """A config without what has weights read, which are in the file, and
    without what mmengine notes in configs that inherit from mmagic's."""
    if isinstance(value, dict):
        return {key: detached(item) for key, item in value.items()
                if not reads_elsewhere(key, item)
                and (key, item) != ('_scope_', 'mmagic')}
    if isinstance(value, list):
        return [detached(item) for item in value]
    return value
