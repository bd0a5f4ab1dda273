"""Configs of weights files: the model of the file, the test set of the config
that it was trained with."""
from pathlib import Path

from ..errors import CheckpointError, ConfigError
from ..model_files.checkpoints import read_checkpoint
from ..model_files.pipelines import build_pipeline, errors_naming
from ..model_files.settings import (check_saved, needs_registries,
                                    pipeline_settings)
from .trusted import check_degradation, check_model, try_model

#: Bases of the config of a file that names no config.
RUNTIME = '_base_/default_runtime.py'
OWN_DATA = '_base_/datasets/builtin_photos.py'


def read_weights_config(path: Path, own_data: bool = False):
    """The config of a weights file.

    Args:
        path (Path): An exported file or a checkpoint of ours. A file that
            names a config of this package brings that config's test set
            along.
        own_data (bool): Whether images of the user's take the place of a test
            set, as with ``--data``.

    Returns:
        mmengine.config.Config

    Raises:
        CheckpointError: If the file is broken or does not say what it was
            trained with.
    """
    from mmengine.config import Config

    from .files import PACKAGED, read_config
    checkpoint = read_checkpoint(str(path))
    with errors_naming(path):
        model = model_config(checkpoint)
        source = source_of(checkpoint)
        settings = read_config(PACKAGED / (source or RUNTIME)).to_dict()
        if own_data and not source:
            base = read_config(PACKAGED / OWN_DATA).to_dict()
            settings.update(settings_of_own_data(base, checkpoint))
    return Config(dict(settings, model=model),
                  cfg_text=f'# from {path.name}\n',
                  filename=f'{path.stem}.py')  # the name of a test's copy


def source_of(checkpoint: dict) -> str:
    """The config of this package that a file names, or ''."""
    from .files import packaged_configs
    source = checkpoint['meta'].get('exported', {}).get('source', '')
    return f'{source}.py' if source in packaged_configs() else ''


def settings_of_own_data(base: dict, checkpoint: dict) -> dict:
    """What :func:`use_folder` needs to test a file on somebody's images: how
    a model is tested in general, and the degradation of the file.

    Args:
        base (dict): The settings of :data:`OWN_DATA`.
        checkpoint (dict): The file's content.

    Raises:
        CheckpointError: If it asks for what a file must not.
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
    """The config of the model that a weights file holds.

    Raises:
        CheckpointError: If it does not say, asks for what a file must not, or
            has weights of another model.
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
        raise CheckpointError('it does not say what it was trained with; name '
                              'its config as the model and the file as the '
                              'checkpoint.')
    old = exported.get('config')
    model = exported.get('model') or (
        old.get('model') if isinstance(old, dict) else None)
    check_model(model)
    try_model(model, weights)
    return model


def config_of_pipeline(settings: dict, saved: dict) -> dict:
    """The config of the restorer that tests a pipeline.

    Args:
        settings (dict): The pipeline's, as in its file.
        saved (dict): What it was trained with.

    Raises:
        CheckpointError: If ``saved`` is not what irsde_mm writes.
    """
    check_saved(saved)
    network = settings['network']
    channels = network.get('in_channels', network.get('img_channels', 3))
    kind = dict(type='irsde_mm.IRSDERestorer')
    if settings.get('initial'):
        kind = dict(type='irsde_mm.RefiningRestorer',
                    initial=settings['initial'])
    # without the noise's bias, which follows from the objective
    output = saved.get('output') or dict(type='irsde_mm.NoiseOutput')
    test_cfg = {key: settings[key] for key in (
        'seed', 'sigma', 'tile', 'inference')
        if settings.get(key) is not None}
    return dict(
        **kind, generator=network, sde=settings['sde'], output=output,
        sampler=settings['sampler'], test_cfg=test_cfg,
        data_preprocessor=dict(
            type='mmagic.DataPreprocessor', mean=[0.] * channels,
            std=[255.] * channels, output_channel_order=settings.get(
                'order', 'RGB') if channels == 3 else None))


def check_test_set(cfg, name: str) -> None:
    """Refuses a test without a test set.

    Raises:
        ConfigError: Saying how to name one.
    """
    if not cfg.get('test_dataloader'):
        raise ConfigError(
            f"'{name}' names no test set: give its config too (test.py CONFIG "
            f'{name}), or a folder with --data.')
