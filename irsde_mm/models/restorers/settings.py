"""What a trained network depends on, as plain values kept in checkpoints."""
import inspect
from typing import Any, Dict, List

from mmagic.models.base_models import BaseEditModel, OneStageInpaintor
from mmengine.registry import Registry

from ...errors import CheckpointError
from ...model_files.settings import check_saved
from ...registry import DIFFUSION_SCHEDULERS, MODELS, find
from ...sde.predictions import Output

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
    # its name in version 0.1
    channels = args.pop('img_channels', None)
    if channels is not None and 'in_channels' in args:
        args['in_channels'] = channels
    elif channels is not None:
        args['img_channels'] = channels
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
    """The settings of ``sde``, ``output``, ``generator`` and, where there is a
    network before the process, ``initial`` in a dict that has them.

    Without ``output``, as in files of version 0.1, the output is the noise.
    """
    output = cfg.get('output') or dict(type='irsde_mm.NoiseOutput')
    return dict(sde=full_settings(DIFFUSION_SCHEDULERS, cfg['sde']),
                output=full_settings(DIFFUSION_SCHEDULERS, output),
                **{key: full_settings(MODELS, cfg[key])
                   for key in ('generator', 'initial') if key in cfg})


def measured_values(output: Output) -> Dict[str, Any]:
    """What an output has measured on training data, by argument."""
    return {name: getattr(output, name) for name in output.measured}


def check_settings(saved: dict, own: dict) -> None:
    """Stops a checkpoint that was trained with other settings.

    Args:
        saved (dict): A checkpoint's ``meta['irsde_mm']``. Arguments that
            did not exist when it was written count as their defaults.
        own (dict): The model's config, or :attr:`IRSDERestorer.settings`.

    Raises:
        CheckpointError: Naming each setting with both values.
    """
    check_saved(saved)
    saved, own = process_and_network(saved), process_and_network(own)
    for name, value in own['output'].items():
        if value is None:  # measured, it belongs to the weights
            saved['output'][name] = None
    found = differences(saved, own)
    if found:
        raise CheckpointError(
            'the checkpoint was trained with other settings than the model '
            'has; use its config, or change: ' + '; '.join(found))


def _show(value: float) -> str:
    return f'{value:.6g} ({value * 255:.4g}/255)' if 0 < value <= 1 \
        else f'{value:g}'
