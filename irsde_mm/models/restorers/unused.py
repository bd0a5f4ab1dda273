"""Detection of unused settings and data."""
from typing import List

import torch

from ...registry import DIFFUSION_SCHEDULERS, MODELS, find
from .settings import full_settings


def trains_on_inputs(model: dict) -> bool:
    """Check whether the training of a model depends on degraded images.

    It does not if the process only adds noise to the clean image (b = 0) and
    the network has no condition.

    Args:
        model (dict): The model's config.

    Raises:
        ValueError: If an argument of the process is out of range.
    """
    if 'sde' not in model:
        return True
    network = full_settings(MODELS, model['generator'])
    if network.get('conditional', True):
        return True
    sde = DIFFUSION_SCHEDULERS.build(model['sde'])
    b = sde.coefficients(torch.arange(sde.num_steps + 1))[1]
    return bool(b.any())


def unused_settings(model: dict) -> List[str]:
    """Return descriptions of settings that have no effect.

    Covers only models of this package.

    Args:
        model (dict): The model's config.

    Returns:
        list[str]: One sentence per setting, with the reason and a fix.
    """
    cls = find(MODELS, model['type'])
    if cls is None or not cls.__module__.startswith('irsde_mm.'):
        return []
    test_cfg = model.get('test_cfg') or {}
    known = sorted(getattr(cls, 'test_settings', test_cfg))
    found = [f'model.test_cfg.{key} is not used; supported keys are '
             f'{", ".join(known)}.' for key in test_cfg if key not in known]
    process = find(DIFFUSION_SCHEDULERS, model['sde']['type']) \
        if 'sde' in model else None
    return found if process is None else found + _unused_by(
        process, model['sde'], test_cfg)


def _unused_by(process: type, sde: dict, test_cfg: dict) -> List[str]:
    """Return descriptions of settings of ``sde`` and ``test_cfg`` that a
    process ignores."""
    sigma = test_cfg.get('sigma')
    if sigma is None:
        return []
    if not process.starts_at_noise_level:
        return [f'model.test_cfg.sigma={sigma!r} is not used, because '
                f'{process.__name__}, unlike DenoisingSDE, does not start at '
                'a noise level; remove it.']
    if sde.get('sigma') is not None:
        return [f"model.sde.sigma={sde['sigma']!r} is not used, because "
                f'model.test_cfg.sigma={sigma!r} overrides it; set only the '
                'latter.']
    return []
