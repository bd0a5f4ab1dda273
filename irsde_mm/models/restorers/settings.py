"""Settings of trained networks, saved in checkpoints as plain values."""
import inspect
from typing import Any, Dict, List

import numpy as np
from mmagic.models.base_models import BaseEditModel, OneStageInpaintor
from mmengine.registry import Registry

from ...errors import CheckpointError
from ...model_files.settings import check_saved
from ...registry import DIFFUSION_SCHEDULERS, MODELS, find
from ...sde.predictions import Output

#: Base classes of image restoration models of irsde_mm and mmagic.
RESTORERS = (BaseEditModel, OneStageInpaintor)


def full_settings(registry: Registry, cfg: dict,
                  compared: bool = False) -> Dict[str, Any]:
    """Return a component's config with its default arguments filled in,
    except those that checkpoints do not store (``runtime_args``) and, if
    ``compared``, those that may differ from a checkpoint's
    (``inference_args``).

    The same holds for components of irsde_mm in its arguments; those of other
    libraries may be partial configs, which their owners complete. Configs that
    build the same component give the same settings, so settings can be
    compared.
    """
    cfg = plain(cfg)
    cls = find(registry, cfg['type'])  # None for unknown types
    args = {}
    if cls is not None:
        for name, parameter in inspect.signature(cls).parameters.items():
            if parameter.default is not inspect.Parameter.empty:
                args[name] = plain(parameter.default)
    args.update(cfg)
    args.pop('init_cfg', None)
    # name of in_channels in version 0.1
    channels = args.pop('img_channels', None)
    if channels is not None and 'in_channels' in args:
        args['in_channels'] = channels
    elif channels is not None:
        args['img_channels'] = channels
    dropped = getattr(cls, 'runtime_args', ())
    if compared:
        dropped = (*dropped, *getattr(cls, 'inference_args', ()))
    for name in dropped:
        args.pop(name, None)
    return {name: full_settings(registry, value, compared)
            if is_own(registry, value) else value
            for name, value in args.items()}


def is_own(registry: Registry, value: Any) -> bool:
    """Return whether a value is the config of a component of irsde_mm."""
    if not isinstance(value, dict) or 'type' not in value:
        return False
    module = getattr(find(registry, value['type']), '__module__', '')
    return module.split('.')[0] == 'irsde_mm'


def plain(value: Any) -> Any:
    """Convert a value to dicts, lists, numbers and strings, which are safe to
    save and compare."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def differences(saved: dict, current: dict, path: str = '') -> List[str]:
    """Describe each setting that differs between checkpoint and model."""
    found = []
    for key in sorted(set(saved) | set(current)):
        a, b = saved.get(key), current.get(key)
        name = f'{path}.{key}' if path else key
        if isinstance(a, dict) and isinstance(b, dict):
            found += differences(a, b, name)
        elif isinstance(a, float) and isinstance(b, float):
            if abs(a - b) > 1e-9:
                found.append(f'{name}: {_format(a)} in the checkpoint, '
                             f'{_format(b)} in the model')
        elif a != b:
            found.append(f'{name}: {a!r} in the checkpoint, {b!r} in the '
                         'model')
    return found


def process_and_network(cfg: dict,
                        compared: bool = False) -> Dict[str, dict]:
    """Return the full settings of ``sde``, ``output``, ``generator`` and, for
    refining and latent models, ``initial`` and ``autoencoder``.

    If ``output`` is missing, as in files of version 0.1, it defaults to
    ``NoiseOutput``.
    """
    output = cfg.get('output') or dict(type='irsde_mm.NoiseOutput')
    return dict(sde=full_settings(DIFFUSION_SCHEDULERS, cfg['sde'], compared),
                output=full_settings(DIFFUSION_SCHEDULERS, output, compared),
                **{key: full_settings(MODELS, cfg[key], compared)
                   for key in ('generator', 'initial', 'autoencoder')
                   if key in cfg})


def measured_values(output: Output) -> Dict[str, Any]:
    """Return the values that an output measured on the training data, by
    argument name."""
    return {name: getattr(output, name) for name in output.measured}


def smaller(saved: dict, current: dict) -> Dict[str, Any]:
    """Return the ``growing_args`` of the network of a checkpoint if some are
    smaller than those of the model and none is larger, else an empty dict.

    Args:
        saved, current (dict): Full settings of both networks.
    """
    if saved['type'] != current['type'] or saved == current:
        return {}
    names = getattr(find(MODELS, current['type']), 'growing_args', ())
    sizes = [(np.atleast_1d(saved[name]), np.atleast_1d(current[name]))
             for name in names]
    fits = all(a.shape == b.shape and (a <= b).all() for a, b in sizes)
    return {name: saved[name] for name in names} if fits else {}


def check_settings(saved: dict, current: dict,
                   start: bool = False) -> List[str]:
    """Check that a checkpoint was trained with the settings of the model.

    Args:
        saved (dict): ``meta['irsde_mm']`` of a checkpoint. Arguments that did
            not exist when it was written are set to their defaults.
        current (dict): The model's config, or :attr:`IRSDERestorer.settings`.
        start (bool): Whether a new training starts from the checkpoint, which
            may be for another process and have fewer blocks
            (``growing_args`` of the network).

    Returns:
        list[str]: Settings that differ, which only a start may have.

    Raises:
        CheckpointError: If settings differ; lists each with both values.
    """
    check_saved(saved)
    saved, current = (process_and_network(settings, compared=True)
                      for settings in (saved, current))
    for name, value in current['output'].items():
        if value is None:  # measured values are part of the weights
            saved['output'][name] = None
    allowed = []
    if start:
        names = smaller(saved['generator'], current['generator'])
        allowed = differences(
            dict(sde=saved.pop('sde'),
                 generator={n: saved['generator'].pop(n) for n in names}),
            dict(sde=current.pop('sde'),
                 generator={n: current['generator'].pop(n) for n in names}))
    found = differences(saved, current)
    if found:
        raise CheckpointError(
            'the checkpoint was trained with different settings; use its '
            'config, or change: ' + '; '.join(found))
    return allowed


def _format(value: float) -> str:
    return f'{value:.6g} ({value * 255:.4g}/255)' if 0 < value <= 1 \
        else f'{value:g}'
