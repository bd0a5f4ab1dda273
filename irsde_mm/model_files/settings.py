"""Settings of a pipeline as plain data, as stored in files."""
from typing import Any, Optional

from ..errors import CheckpointError
from ..inference.components import COMPONENTS
from .limits import check_value, refusal

#: Models of version 0.1 that correspond to a pipeline.
RESTORERS = ('irsde_mm.IRSDERestorer', 'irsde_mm.RefiningRestorer')
NONE = type(None)
#: Settings of a pipeline and the types allowed for each.
KINDS = dict(
    network=(dict, ), initial=(dict, NONE), autoencoder=(dict, NONE),
    sde=(dict, ), output=(dict, NONE),
    sampler=(str, dict), seed=(int, ), sigma=(int, float, str, NONE),
    crispness=(int, float, NONE), tile=(int, str), inference=(dict, NONE),
    order=(str, ), upscale=(dict, NONE), degradation=(list, NONE))
REQUIRED = ('network', 'sde', 'sampler')


def pipeline_settings(checkpoint: dict) -> Optional[dict]:
    """Return the pipeline settings of a checkpoint, see :data:`KINDS`.

    An exported file stores them. For an exported file of version 0.1 they
    are derived from its config; for a training checkpoint, from its training
    settings, with the preset 'balanced'.

    Returns:
        dict, with the ``calibration`` if the file has one, or None for a
        model that is not a pipeline.

    Raises:
        CheckpointError: If the settings do not have the form that irsde_mm
            writes, or are not allowed in a file.
    """
    meta = checkpoint['meta']
    exported, saved = meta.get('exported'), meta.get('irsde_mm')
    if exported is None:
        if saved is None:
            return None
        settings = settings_of_training(saved)
    elif 'pipeline' in exported:
        settings = exported['pipeline']
    else:
        config = exported.get('config')
        model = config.get('model') if isinstance(config, dict) else None
        if not isinstance(model, dict) or model.get('type') not in RESTORERS:
            return None
        settings = settings_of_config(config, saved)
    check_settings(settings)
    if exported and 'calibration' in exported:
        check_value(exported['calibration'], 'calibration')
        settings = dict(settings, calibration=exported['calibration'])
    return settings


def check_settings(settings: Any) -> None:
    """Check that a value is a valid dict of pipeline settings.

    Raises:
        CheckpointError: Naming the first invalid setting.
    """
    if not isinstance(settings, dict):
        raise CheckpointError('invalid settings: not a dict.')
    check_value(settings, 'pipeline')
    missing = [key for key in REQUIRED if key not in settings]
    if missing:
        raise CheckpointError(f"invalid settings: '{missing[0]}' is missing.")
    for key, value in settings.items():
        if key not in KINDS:
            raise CheckpointError(f'invalid settings: {key!r:.40} is not one '
                                  f'of {", ".join(KINDS)}.')
        if not isinstance(value, KINDS[key]) or isinstance(value, bool):
            kinds = ' or '.join(kind.__name__ for kind in KINDS[key])
            raise CheckpointError(f'invalid settings: {key} is {value!r:.40}, '
                                  f'expected {kinds}.')


def settings_of_training(saved: Any) -> dict:
    """Derive pipeline settings from a checkpoint's ``meta['irsde_mm']``.

    Raises:
        CheckpointError: If a field is missing or has the wrong type.
    """
    check_saved(saved)
    process = COMPONENTS.get(saved['sde']['type'])
    starts = getattr(process, 'starts_at_noise_level', False)
    return dict(network=saved['generator'], initial=saved.get('initial'),
                autoencoder=saved.get('autoencoder'),
                sde=saved['sde'], output=trained_output(saved),
                sampler='balanced', sigma='estimate' if starts else None)


def settings_of_config(config: dict, saved: Any) -> dict:
    """Derive pipeline settings from the config in a file of version 0.1.

    Args:
        config (dict): ``model`` and, optionally, ``test_dataloader``.
        saved (dict): Training settings of the model.

    Raises:
        CheckpointError: If a field is missing or has the wrong type.
    """
    check_saved(saved)
    check_value(config['model'], 'model')
    model = config['model']
    options = dict_at(model, 'test_cfg')
    preprocessor = dict_at(model, 'data_preprocessor')
    check_range(preprocessor)
    order = preprocessor.get('output_channel_order')
    settings = dict(
        initial=model.get('initial'), output=trained_output(saved),
        seed=options.get('seed', 0), sigma=options.get('sigma'),
        tile=options.get('tile', 'auto'), inference=options.get('inference'),
        order=order or 'BGR', upscale=upscale_of(
            config.get('test_dataloader')),
        degradation=without_files(config.get('degradation')))
    for name, key in (('network', 'generator'), ('sde', 'sde'),
                      ('sampler', 'sampler')):
        if key in model:
            settings[name] = model[key]
    return settings


def check_range(preprocessor: dict) -> None:
    """Check that a preprocessor scales images to [0, 1], as pipelines expect.

    Args:
        preprocessor (dict): Config of the data preprocessor.

    Raises:
        CheckpointError: If it uses another range.
    """
    for key, value in (('mean', 0), ('std', 255)):
        numbers = preprocessor.get(key, value)
        if not isinstance(numbers, (list, tuple)):
            numbers = [numbers]
        if any(number != value for number in numbers):
            raise CheckpointError(
                'the images are not scaled to [0, 1]: '
                f'data_preprocessor.{key} must be {value}.')


def dict_at(settings: dict, key: str) -> dict:
    """Return a dict from settings, or an empty dict if it is missing or None.

    Raises:
        CheckpointError: If the value is not a dict.
    """
    value = settings.get(key)
    if not isinstance(value, (dict, NONE)):
        raise refusal(key, 'is not a dict')
    return value or {}


def upscale_of(loader: Any) -> Optional[dict]:
    """Return the upsampling options in a test dataloader's data pipeline.

    Returns:
        dict: ``scale`` and ``mode``, or None if images are not upsampled.
    """
    loader = loader[0] if isinstance(loader, list) and loader else loader
    dataset = loader.get('dataset') if isinstance(loader, dict) else None
    steps = dataset.get('pipeline') if isinstance(dataset, dict) else None
    for step in steps if isinstance(steps, list) else []:
        if isinstance(step, dict) and step.get('type') == 'irsde_mm.Upsample':
            return {key: step[key] for key in ('scale', 'mode')
                    if key in step}
    return None


def trained_output(saved: dict) -> dict:
    """Return the config of the output that matches the trained weights."""
    output = saved.get('output') or dict(type='irsde_mm.NoiseOutput')
    noise = output == dict(type='irsde_mm.NoiseOutput')
    return dict(type='irsde_mm.EulerNoiseOutput') \
        if noise and saved.get('objective') == 'euler' else output


def check_saved(saved: Any) -> None:
    """Check the form of ``meta['irsde_mm']``, as files may contain anything.

    Raises:
        CheckpointError: If a field is missing or has the wrong type.
    """

    def component(value: Any) -> bool:
        return isinstance(value, dict) and isinstance(value.get('type'), str)

    if not (isinstance(saved, dict) and component(saved.get('sde'))
            and component(saved.get('generator'))
            and component(saved.get('initial', saved['generator']))
            and component(saved.get('autoencoder', saved['generator']))
            and component(saved.get('output', saved['sde']))
            and isinstance(saved.get('objective'), str)):
        raise CheckpointError(
            "the checkpoint's training settings are invalid: expected sde and "
            "generator with a 'type', and an objective.")


def without_files(degradation: Any) -> Any:
    """Return a degradation, or [] if it needs files, such as masks."""
    try:
        check_value(degradation, 'degradation')
    except CheckpointError:
        return []
    return degradation


def is_own(config: Any) -> bool:
    """Return True if a component's config uses only types of this package.

    Other errors in the config are ignored.
    """
    if not isinstance(config, dict):
        return True
    name = config.get('type')
    return (not isinstance(name, str) or name in COMPONENTS) and all(
        is_own(value) for key, value in config.items() if key != 'scheduler')


def needs_registries(settings: dict) -> bool:
    """Return True if a pipeline needs components from mmagic's registries."""
    return not all(is_own(settings.get(key)) for key in (
        'network', 'initial', 'autoencoder', 'sde', 'output', 'sampler'))
