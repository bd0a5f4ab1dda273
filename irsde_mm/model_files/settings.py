"""The settings of a pipeline as plain data, from a file or for one."""
from typing import Any, Optional

from ..errors import CheckpointError
from ..inference.components import COMPONENTS
from .limits import check_value, refusal

#: Models of version 0.1 that are a pipeline.
RESTORERS = ('irsde_mm.IRSDERestorer', 'irsde_mm.RefiningRestorer')
NONE = type(None)
#: The settings of a pipeline, with the kinds of values that each may have.
KINDS = dict(
    network=(dict, ), initial=(dict, NONE), sde=(dict, ), output=(dict, NONE),
    sampler=(str, dict), seed=(int, ), sigma=(int, float, str, NONE),
    tile=(int, str), inference=(dict, NONE), order=(str, ),
    upscale=(dict, NONE), degradation=(list, NONE))
NEEDED = ('network', 'sde', 'sampler')


def pipeline_settings(checkpoint: dict) -> Optional[dict]:
    """The settings of the pipeline in a checkpoint, see :data:`KINDS`.

    An exported file has them; for one of version 0.1 they follow from its
    config, for a checkpoint of a training from what it was trained with, with
    the preset 'balanced'.

    Returns:
        dict, or None for a model that is not a pipeline.

    Raises:
        CheckpointError: If they are not of the form that irsde_mm writes, or
            ask for what a file must not.
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
    return settings


def check_settings(settings: Any) -> None:
    """Refuses what is not the settings of a pipeline.

    Raises:
        CheckpointError: Naming the first one.
    """
    if not isinstance(settings, dict):
        raise CheckpointError('its settings are not a dict.')
    check_value(settings, 'pipeline')
    missing = [key for key in NEEDED if key not in settings]
    if missing:
        raise CheckpointError(f'its settings have no {missing[0]}.')
    for key, value in settings.items():
        if key not in KINDS:
            raise CheckpointError(f'its settings have {key!r:.40}, which is '
                                  f'not one of {", ".join(KINDS)}.')
        if not isinstance(value, KINDS[key]) or isinstance(value, bool):
            kinds = ' or '.join(kind.__name__ for kind in KINDS[key])
            raise CheckpointError(f'its settings are refused: {key} is '
                                  f'{value!r:.40} and not a {kinds}.')


def settings_of_training(saved: Any) -> dict:
    """The settings that a checkpoint's ``meta['irsde_mm']`` stands for.

    Raises:
        CheckpointError: If a part is missing or of another kind.
    """
    check_saved(saved)
    process = COMPONENTS.get(saved['sde']['type'])
    starts = getattr(process, 'starts_at_noise_level', False)
    return dict(network=saved['generator'], initial=saved.get('initial'),
                sde=saved['sde'], output=trained_output(saved),
                sampler='balanced', sigma='estimate' if starts else None)


def settings_of_config(config: dict, saved: Any) -> dict:
    """The settings that a config in a file of version 0.1 stands for.

    Args:
        config (dict): ``model``, and perhaps ``test_dataloader``.
        saved (dict): What the model was trained with.

    Raises:
        CheckpointError: If a part is missing or of another kind.
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
    """Refuses a preprocessor's config that brings images to another range
    than [0, 1], in which pipelines work.

    Raises:
        CheckpointError: If it does.
    """
    for key, value in (('mean', 0), ('std', 255)):
        numbers = preprocessor.get(key, value)
        if not isinstance(numbers, (list, tuple)):
            numbers = [numbers]
        if any(number != value for number in numbers):
            raise CheckpointError(
                'its images are not in [0, 1]: data_preprocessor has another '
                f'{key} than {value}.')


def dict_at(settings: dict, key: str) -> dict:
    """A dict in settings, empty if it is missing or None.

    Raises:
        CheckpointError: If it is something else.
    """
    value = settings.get(key)
    if not isinstance(value, (dict, NONE)):
        raise refusal(key, 'is not a dict')
    return value or {}


def upscale_of(loader: Any) -> Optional[dict]:
    """How a test dataloader's pipeline enlarges images, if it does."""
    loader = loader[0] if isinstance(loader, list) and loader else loader
    dataset = loader.get('dataset') if isinstance(loader, dict) else None
    steps = dataset.get('pipeline') if isinstance(dataset, dict) else None
    for step in steps if isinstance(steps, list) else []:
        if isinstance(step, dict) and step.get('type') == 'irsde_mm.Upsample':
            return {key: step[key] for key in ('scale', 'mode')
                    if key in step}
    return None


def trained_output(saved: dict) -> dict:
    """The output that reads weights as their training left them."""
    output = saved.get('output') or dict(type='irsde_mm.NoiseOutput')
    noise = output == dict(type='irsde_mm.NoiseOutput')
    return dict(type='irsde_mm.EulerNoiseOutput') \
        if noise and saved.get('objective') == 'euler' else output


def check_saved(saved: Any) -> None:
    """Refuses what is not a ``meta['irsde_mm']``: files may hold anything.

    Raises:
        CheckpointError: If a part is missing or of another kind.
    """

    def component(value: Any) -> bool:
        return isinstance(value, dict) and isinstance(value.get('type'), str)

    if not (isinstance(saved, dict) and component(saved.get('sde'))
            and component(saved.get('generator'))
            and component(saved.get('initial', saved['generator']))
            and component(saved.get('output', saved['sde']))
            and isinstance(saved.get('objective'), str)):
        raise CheckpointError(
            'what the checkpoint says about its training is not what '
            "irsde_mm writes: sde and generator with a 'type', objective.")


def without_files(degradation: Any) -> Any:
    """A degradation, or nothing if it takes files, such as masks."""
    try:
        check_value(degradation, 'degradation')
    except CheckpointError:
        return []
    return degradation


def is_own(config: Any) -> bool:
    """Whether every type that a component's config names is one of the
    package's own, whatever else may be wrong with it."""
    if not isinstance(config, dict):
        return True
    name = config.get('type')
    return (not isinstance(name, str) or name in COMPONENTS) and all(
        is_own(value) for key, value in config.items() if key != 'scheduler')


def needs_registries(settings: dict) -> bool:
    """Whether a pipeline has components that only registries know, such as
    mmagic's networks."""
    return not all(is_own(settings.get(key)) for key in (
        'network', 'initial', 'sde', 'output', 'sampler'))
