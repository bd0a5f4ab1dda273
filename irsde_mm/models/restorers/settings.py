"""What a trained network depends on, as plain values kept in checkpoints."""
import inspect
from typing import Any, Dict, List

from mmagic.models.base_models import BaseEditModel, OneStageInpaintor
from mmengine.registry import Registry

from ...errors import CheckpointError
from ...registry import DIFFUSION_SCHEDULERS, MODELS, find

#: The kinds of models that restore images, ours and mmagic's.
RESTORERS = (BaseEditModel, OneStageInpaintor)


def full_settings(registry: Registry, cfg: dict) -> Dict[str, Any]:
    """A component's config with its default arguments written out.

    Two configs that build the same component give the same settings, so
    they can be compared.
    """
    cfg = plain(cfg)
    cls = find(registry, cfg['type'])  # it may be a checkpoint's
    args = {}
    if cls is not None:
        for name, parameter in inspect.signature(cls).parameters.items():
            if parameter.default is not inspect.Parameter.empty:
                args[name] = plain(parameter.default)
    args.update(cfg)
    args.pop('init_cfg', None)
    for name in getattr(cls, 'runtime_args', ()):
        args.pop(name, None)
    return args


def plain(value: Any) -> Any:
    """Dicts, lists, numbers and strings only: safe to save and compare."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def differences(saved: dict, own: dict, path: str = '') -> List[str]:
    """Every setting that two settings dicts give different values."""
    found = []
    for key in sorted(set(saved) | set(own)):
        a, b = saved.get(key), own.get(key)
        name = f'{path}.{key}' if path else key
        if isinstance(a, dict) and isinstance(b, dict):
            found += differences(a, b, name)
        elif isinstance(a, float) and isinstance(b, float):
            if abs(a - b) > 1e-9:
                found.append(f'{name}: {_show(a)} in the checkpoint, '
                             f'{_show(b)} in the model')
        elif a != b:
            found.append(f'{name}: {a!r} in the checkpoint, {b!r} in the '
                         'model')
    return found


def process_and_network(cfg: dict) -> Dict[str, dict]:
    """The settings of ``sde``, ``generator`` and, where there is a network
    before the process, ``initial`` in a dict that has them."""
    return dict(sde=full_settings(DIFFUSION_SCHEDULERS, cfg['sde']),
                **{key: full_settings(MODELS, cfg[key])
                   for key in ('generator', 'initial') if key in cfg})


def check_settings(saved: dict, own: dict) -> None:
    """Stops a checkpoint that was trained with other settings.

    Args:
        saved (dict): A checkpoint's ``meta['irsde_mm']``. Arguments that
            did not exist when it was written count as their defaults.
        own (dict): The model's config, or :attr:`IRSDERestorer.settings`.

    Raises:
        CheckpointError: Naming each setting with both values.
    """
    check_form(saved)
    found = differences(process_and_network(saved), process_and_network(own))
    if found:
        raise CheckpointError(
            'the checkpoint was trained with other settings than the model '
            'has; use its config, or change: ' + '; '.join(found))


def check_form(saved: Any) -> None:
    """Stops what is no ``meta['irsde_mm']``: files may hold anything there.

    Raises:
        CheckpointError: If a part is missing or of another kind.
    """

    def component(value: Any) -> bool:
        return isinstance(value, dict) and isinstance(value.get('type'), str)

    if not (isinstance(saved, dict) and component(saved.get('sde'))
            and component(saved.get('generator'))
            and component(saved.get('initial', saved['generator']))
            and isinstance(saved.get('objective'), str)):
        raise CheckpointError(
            'what the checkpoint says about its training is not what '
            "irsde_mm writes: sde and generator with a 'type', objective.")


def check_weights(given: dict, own: dict) -> None:
    """Stops weights whose names or shapes are not the model's.

    Raises:
        CheckpointError: With the first of them.
    """
    given = {key.removeprefix('module.'): value
             for key, value in given.items()}
    missing = [key for key in own if key not in given]
    if missing:
        raise CheckpointError(
            f'the checkpoint lacks {len(missing)} of the {len(own)} weights '
            f"of the model, the first is '{missing[0]}'. Weights of the "
            'published layout go through tools/convert_checkpoint.py.')
    for key, value in own.items():
        if value.shape != given[key].shape:
            raise CheckpointError(
                f"the weight '{key}' is {tuple(given[key].shape)} in the "
                f'checkpoint but {tuple(value.shape)} in the model: it is '
                'of another size.')


def _show(value: float) -> str:
    return f'{value:.6g} ({value * 255:.4g}/255)' if 0 < value <= 1 \
        else f'{value:g}'
