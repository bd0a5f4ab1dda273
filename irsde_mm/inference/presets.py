"""Samplers by name, and presets for a number of network calls."""
from typing import Callable, Optional, Union

from ..errors import ConfigError
from ..samplers.base import Sampler
from ..sde.base import SDE
from ..sde.predictions import Output
from .components import build as build_component

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
    """Few steps: a jump with the share of fresh noise that was best over all
    tasks (docs/samplers.md)."""
    if name == 'paper':
        preset = dict(SAMPLERS[sde.published_sampler])
    else:
        preset = dict(
            SAMPLERS['jump'], num_steps=min(PRESETS[name], sde.num_steps),
            eta=0. if sde.published_sampler == 'ode' else 0.7)
    return preset if sde.published_clamp is None else dict(
        preset, clamp=sde.published_clamp)


def check_fit(sde: SDE, output: Output, sampler: Sampler) -> None:
    """Refuses parts that do not fit each other, before any network call.

    Raises:
        ValueError: Saying which, and what to use.
    """
    output.check(sde)
    # steps that fit no input are refused now, not hours later
    sampler.begin(sde, sde.num_steps)
    if output.needs_signal and not sde.signal_at_end and sde.noise_at_end \
            and sampler.clamp is None:
        low, high = sde.published_clamp or (0, 1)
        raise ValueError(
            f'{type(sde).__name__} ends where nothing of x0 is left '
            '(alpha_bar = 0), and the noise says nothing about it there: '
            f'clamp its estimates, clamp=({low:g}, {high:g}), or choose '
            'another schedule.')


def build_sampler(choice: Union[str, dict, Sampler], sde: SDE, output: Output,
                  build: Callable[[dict], Sampler] = build_component
                  ) -> Sampler:
    """The sampler that a choice means, checked against process and output.

    Args:
        choice: See :func:`sampler_config`, or a sampler.
        sde (SDE): The process.
        output (Output): How the network's output is read.
        build: Makes a sampler of its config; by default from the components
            of the package.

    Raises:
        ConfigError: If the name is unknown.
        ValueError: If the sampler does not fit.
    """
    sampler = choice if isinstance(choice, Sampler) else build(
        sampler_config(choice, sde))
    check_fit(sde, output, sampler)
    return sampler
