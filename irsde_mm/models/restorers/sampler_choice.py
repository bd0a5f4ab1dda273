"""Samplers by name, and presets for a number of network calls."""
from typing import Optional, Union

from ...errors import ConfigError
from ...registry import DIFFUSION_SCHEDULERS
from ...samplers.base import Sampler
from ...sde.base import SDE

SAMPLERS = dict(
    posterior=dict(type='irsde_mm.PosteriorSampler'),
    sde=dict(type='irsde_mm.EulerMaruyamaSampler'),
    ode=dict(type='irsde_mm.ProbabilityFlowSampler'),
    jump=dict(type='irsde_mm.JumpSampler', eta=0.),
    multistep=dict(type='irsde_mm.MultistepSampler', grid='uniform'),
    multistep_sde=dict(type='irsde_mm.MultistepSampler', variant='sde',
                       grid='uniform'),
    multistep_log_snr=dict(type='irsde_mm.MultistepSampler'),
    dpm=dict(type='irsde_mm.DiffusersSampler', scheduler=dict(
        type='DPMSolverMultistepScheduler')),
    dpm_sde=dict(type='irsde_mm.DiffusersSampler', scheduler=dict(
        type='DPMSolverMultistepScheduler', algorithm_type='sde-dpmsolver++')),
    unipc=dict(type='irsde_mm.DiffusersSampler', scheduler=dict(
        type='UniPCMultistepScheduler')),
    deis=dict(type='irsde_mm.DiffusersSampler', scheduler=dict(
        type='DEISMultistepScheduler')),
    ddim=dict(type='irsde_mm.DiffusersSampler', scheduler=dict(
        type='DDIMScheduler')))
PRESETS = dict(fast=5, balanced=10, paper=None)


def sampler_config(choice: Union[None, str, dict], sde: SDE,
                   own: Union[None, str, dict] = None,
                   steps: Optional[int] = None) -> dict:
    """The sampler's config that a choice means.

    Args:
        choice: One of ``PRESETS`` (their steps never more than the process
            has), of ``SAMPLERS`` (with the steps and clamp of ``own``), or a
            sampler's config; None is ``own``.
        sde (SDE): The process.
        own: The choice in place, or ``num_steps`` and ``clamp`` of it.
        steps (int, optional): Steps, in place of the choice's.

    Raises:
        ConfigError: If the name is unknown.
    """
    if choice is None:
        choice = own
    if isinstance(choice, dict):
        config = dict(choice)
    elif choice in PRESETS:
        config = _preset(choice, sde)
    elif choice in SAMPLERS:
        config = dict(SAMPLERS[choice])
        if own is not None:
            own = sampler_config(own, sde)
            config.update(num_steps=own.get('num_steps'),
                          clamp=own.get('clamp'))
    else:
        raise ConfigError(f'unknown sampler {choice!r}; there are the presets '
                          f'{", ".join(PRESETS)} and the samplers '
                          f'{", ".join(SAMPLERS)}.')
    if steps is not None:
        config['num_steps'] = steps
    return config


def _preset(name: str, sde: SDE) -> dict:
    """Few steps: a jump with the share of fresh noise that served all tasks
    best, as measured in docs/samplers.md."""
    if name == 'paper':
        preset = dict(SAMPLERS[sde.published_sampler])
    else:
        preset = dict(
            SAMPLERS['jump'], num_steps=min(PRESETS[name], sde.num_steps),
            eta=0. if sde.published_sampler == 'ode' else 0.7)
    return preset if sde.published_clamp is None else dict(
        preset, clamp=sde.published_clamp)


def build_sampler(choice: Union[str, dict], sde: SDE) -> Sampler:
    """The sampler that a choice means, tried on the process' whole way.

    Steps that cannot fit any input are said now, not hours later.

    Raises:
        ConfigError: If the name is unknown.
        ValueError: If the steps do not fit the process.
    """
    sampler = DIFFUSION_SCHEDULERS.build(sampler_config(choice, sde))
    sampler.begin(sde, sde.num_steps)
    return sampler
