"""Named samplers, and presets for a number of network calls."""
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
    mean_ode=dict(type='irsde_mm.MeanODESampler'),
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
PRESETS = ('fast', 'balanced', 'paper')
#: Steps and eta of the jumps of a preset, for outputs that divide by a_t
#: (noise) and for outputs that do not (the clean image and others).
NOISY = dict(fast=(5, 0.7), balanced=(10, 0.7))
CLEAN = dict(fast=(1, 0.), balanced=(3, 1.))


def sampler_config(choice: Union[None, str, dict], sde: SDE, output: Output,
                   current: Union[None, str, dict] = None,
                   steps: Optional[int] = None) -> dict:
    """Return the sampler config for a choice.

    Args:
        choice: One of ``PRESETS`` (with at most as many steps as the process),
            one of ``SAMPLERS`` (with the steps and clamp of ``current``), or a
            sampler config; None selects ``current``.
        sde (SDE): The process.
        output (Output): Parameterization of the network output.
        current: The current choice, or a dict with its ``num_steps`` and
            ``clamp``.
        steps (int, optional): Number of steps that overrides the choice.

    Raises:
        ConfigError: If the name is unknown.
    """
    if choice is None:
        choice = current
    if isinstance(choice, dict):
        config = dict(choice)
    elif choice in PRESETS:
        config = _preset(choice, sde, output)
    elif choice in SAMPLERS:
        config = dict(SAMPLERS[choice])
        if current is not None:
            current = sampler_config(current, sde, output)
            config.update(num_steps=current.get('num_steps'),
                          clamp=current.get('clamp'))
    else:
        raise ConfigError(f'unknown sampler {choice!r}; choose one of the '
                          f'presets {", ".join(PRESETS)} or the samplers '
                          f'{", ".join(SAMPLERS)}.')
    if steps is not None:
        config['num_steps'] = steps
    return config


def _preset(name: str, sde: SDE, output: Output) -> dict:
    """Return the sampler config of a preset.

    The few-step presets use jumps: deterministic ones for a process with a
    deterministic published sampler, otherwise with the fraction of fresh
    noise that performed best over all tasks (docs/samplers.md).
    """
    if name == 'paper':
        preset = dict(SAMPLERS[sde.published_sampler])
    else:
        steps, eta = (NOISY if output.needs_signal else CLEAN)[name]
        preset = dict(
            SAMPLERS['jump'], num_steps=min(steps, sde.num_steps),
            eta=0. if sde.published_sampler in ('ode', 'jump') else eta)
    return preset if sde.published_clamp is None else dict(
        preset, clamp=sde.published_clamp)


def check_fit(sde: SDE, output: Output, sampler: Sampler) -> None:
    """Check that process, output and sampler are compatible.

    Raises:
        ValueError: If they are not.
    """
    output.check(sde)
    # Report impossible steps now instead of after hours of training.
    sampler.begin(sde, sde.num_steps)
    if output.needs_signal and not sde.signal_at_end and sde.noise_at_end \
            and sampler.clamp is None:
        low, high = sde.published_clamp or (0, 1)
        raise ValueError(
            f'the end of {type(sde).__name__} contains no x0 (alpha_bar = 0), '
            'so the noise does not determine x0; clamp the estimates with '
            f'clamp=({low:g}, {high:g}), or choose another schedule.')


def build_sampler(choice: Union[str, dict, Sampler], sde: SDE, output: Output,
                  build: Callable[[dict], Sampler] = build_component
                  ) -> Sampler:
    """Build a sampler and check it against process and output.

    Args:
        choice: A sampler, or a choice for :func:`sampler_config`.
        sde (SDE): The process.
        output (Output): Parameterization of the network output.
        build: Function that builds a sampler from a config; by default, from
            the components of the package.

    Raises:
        ConfigError: If the name is unknown.
        ValueError: If the sampler is not compatible.
    """
    sampler = choice if isinstance(choice, Sampler) else build(
        sampler_config(choice, sde, output))
    check_fit(sde, output, sampler)
    return sampler
