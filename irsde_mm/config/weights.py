"""Configs of weights files.

Such a config combines the model in the file with the test set of the config
that it was trained with.
"""
from pathlib import Path

from ..errors import CheckpointError, ConfigError
from ..model_files.checkpoints import read_checkpoint
from ..model_files.pipelines import build_pipeline, errors_naming
from ..model_files.settings import (check_saved, needs_registries,
                                    pipeline_settings)
from .trusted import check_degradation, check_model, try_model

#: Base configs for a file that does not name its config.
RUNTIME = '_base_/default_runtime.py'
OWN_DATA = '_base_/datasets/builtin_photos.py'


def read_weights_config(path: Path, own_data: bool = False):
    """Return the config of a weights file.

    Args:
        path (Path): An exported file or a checkpoint of irsde_mm. If the
            file names a config of this package, that config's test set is
            included.
        own_data (bool): True if the user's images replace the test set, as
            with ``--data``.

    Returns:
        mmengine.config.Config

    Raises:
        CheckpointError: If the file is broken or does not contain its
            training settings.
    """
    from mmengine.config import Config

    from .files import PACKAGED, read_config
    checkpoint = read_checkpoint(str(path))
    with errors_naming(path):
        model = model_config(checkpoint)
        source = source_config(checkpoint)
        settings = read_config(PACKAGED / (source or RUNTIME)).to_dict()
        if own_data and not source:
            base = read_config(PACKAGED / OWN_DATA).to_dict()
            settings.update(own_data_settings(base, checkpoint))
    return Config(dict(settings, model=model),
                  cfg_text=f'# from {path.name}\n',
                  filename=f'{path.stem}.py')  # name of the test's copy


def source_config(checkpoint: dict) -> str:
    """Return the package config that a file names, or ''."""
    from .files import packaged_configs
    source = checkpoint['meta'].get('exported', {}).get('source', '')
    return f'{source}.py' if source in packaged_configs() else ''


def own_data_settings(base: dict, checkpoint: dict) -> dict:
    """Return the settings :func:`use_folder` needs to test a weights file.

    They combine general test settings with the degradation of the file.

    Args:
        base (dict): The settings of :data:`OWN_DATA`.
        checkpoint (dict): Content of the file.

    Raises:
        CheckpointError: If the degradation is not allowed in a file.
    """
    settings = pipeline_settings(checkpoint) or {}
    degradation = check_degradation(settings.get('degradation') or [])
    loader = base['test_dataloader']
    loader['dataset']['pipeline'] = [
        dict(type='PackInputs', meta_keys=['sigma'])]
    return dict(
        test_dataloader=loader, test_evaluator=base['test_evaluator'],
        test_cfg=dict(type='MultiTestLoop'), degradation=degradation,
        patch_size=base['patch_size'], region=base['patch_size'])


def model_config(checkpoint: dict) -> dict:
    """Return the config of the model in a weights file.

    Raises:
        CheckpointError: If the file has no config, or one that is not allowed
            or does not fit the weights.
    """
    meta, weights = checkpoint['meta'], checkpoint['state_dict']
    settings = pipeline_settings(checkpoint)
    if settings is not None:
        config = config_of_pipeline(settings, meta.get('irsde_mm'))
        if not needs_registries(settings):
            build_pipeline(settings, weights)
            return config
        check_model(config)
        try_model(config, weights)
        return config
    exported = meta.get('exported')
    if exported is None:
        raise CheckpointError('it does not contain its config; pass the '
                              'config as the model and the file as the '
                              'checkpoint.')
    old = exported.get('config')
    model = exported.get('model') or (
        old.get('model') if isinstance(old, dict) else None)
    check_model(model)
    try_model(model, weights)
    return model


def config_of_pipeline(settings: dict, saved: dict) -> dict:
    """Return the config of a restorer that tests a pipeline.

    Args:
        settings (dict): The pipeline settings stored in the file.
        saved (dict): The training settings stored in the file.

    Raises:
        CheckpointError: If ``saved`` was not written by irsde_mm.
    """
    check_saved(saved)
    network, autoencoder = settings['network'], settings.get('autoencoder')
    images = autoencoder or network
    channels = images.get('in_channels', images.get('img_channels', 3))
    restorer = dict(type='irsde_mm.IRSDERestorer')
    if settings.get('initial'):
        restorer = dict(type='irsde_mm.RefiningRestorer',
                        initial=settings['initial'])
    if autoencoder:
        restorer = dict(type='irsde_mm.LatentRestorer',
                        autoencoder=autoencoder)
    # excludes the bias of the noise, which follows from the objective
    output = saved.get('output') or dict(type='irsde_mm.NoiseOutput')
    test_cfg = {key: settings[key] for key in (
        'seed', 'sigma', 'crispness', 'tile', 'inference')
        if settings.get(key) is not None}
    return dict(
        **restorer, generator=network, sde=settings['sde'], output=output,
        sampler=settings['sampler'], test_cfg=test_cfg,
        data_preprocessor=dict(
            type='mmagic.DataPreprocessor', mean=[0.] * channels,
            std=[255.] * channels, output_channel_order=settings.get(
                'order', 'RGB') if channels == 3 else None))


def check_test_set(cfg, name: str) -> None:
    """Check that a config has a test set.

    Raises:
        ConfigError: If it has none.
    """
    if not cfg.get('test_dataloader'):
        raise ConfigError(
            f"'{name}' has no test set; also give its config (test.py CONFIG "
            f'{name}), or a folder with --data.')
