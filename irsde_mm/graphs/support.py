"""Checks that a model can be exported as a graph."""
import copy
from typing import TYPE_CHECKING

from ..errors import ConfigError
from ..inference import Hooks, ImagePipeline, Refinement, RestorationPipeline
from ..inference.noise import check_sigma
from ..networks import ConditionalNAFNet, ProcessNetwork, RegressionNetwork
from ..samplers import DiffusersSampler, Sampler

if TYPE_CHECKING:
    from .export import ExportOptions

#: Hooks, and restorers that are the hooks of their pipelines.
HOOKS = ('Hooks', 'Refinement', 'IRSDERestorer', 'RefiningRestorer')
#: Most network calls of a graph, which repeats them one after another.
MAX_CALLS = 100


def refusal(reason: str) -> ConfigError:
    return ConfigError(f'the model cannot be exported as a graph: {reason}.')


def with_plain_hooks(pipeline: ImagePipeline) -> RestorationPipeline:
    """Return a copy of a pipeline whose hooks are not those of a restorer.

    Raises:
        ConfigError: If it is no diffusion model, works on latents, or has
            other hooks.
    """
    if not isinstance(pipeline, RestorationPipeline):
        raise refusal(f'{pipeline.name} is not a diffusion model')
    hooks, pipeline = pipeline.hooks, copy.copy(pipeline)
    if hasattr(hooks, 'autoencoder'):
        raise refusal('it works on latents, whose encoder and decoder are '
                      'not supported')
    if type(hooks).__name__ not in HOOKS:
        raise refusal(f'{type(hooks).__name__} is not supported')
    pipeline.hooks = Refinement(hooks.initial, pipeline.calls) \
        if hooks.refines else Hooks()
    return pipeline


def check_pipeline(pipeline: RestorationPipeline,
                   options: 'ExportOptions') -> None:
    """Check that a pipeline can be exported with the given options.

    Raises:
        ConfigError: If it cannot.
    """
    network = pipeline.network
    if not isinstance(network, ProcessNetwork):
        raise refusal(f'its network, {type(network).__name__}, is not one of '
                      'irsde_mm')
    if pipeline.data_consistency is not None:
        raise refusal('data_consistency depends on the photo; remove it')
    check_noise_level(pipeline, options)
    if options.size is None:
        check_any_size(pipeline)
    elif min(options.size) < 1:
        raise ConfigError('--height and --width must be at least 1.')
    if options.half and options.format != 'onnx':
        raise ConfigError('float16 weights (--half) are only for --format '
                          'onnx.')


def check_noise_level(pipeline: RestorationPipeline,
                      options: 'ExportOptions') -> None:
    """Check that the noise level of the photos is known where it matters.

    Raises:
        ConfigError: If it is not.
    """
    name = type(pipeline.sde).__name__
    if not pipeline.sde.starts_at_noise_level:
        if options.sigma is not None:
            raise ConfigError(f'{name} does not start at the noise level of '
                              'the photo: omit --sigma.')
        return
    sigma = pipeline.sigma if options.sigma is None else options.sigma
    if sigma is None or sigma == 'estimate':
        raise refusal(f'{name} starts at the noise level of the photo, which '
                      'a graph cannot estimate; fix it with --sigma, such as '
                      '--sigma 0.1 (25.5 gray levels)')
    check_sigma(sigma, pipeline.sde)
    try:
        start = pipeline.sde.start_time(sigma)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    if start == 0:
        raise ConfigError(f'--sigma {sigma}: there is no noise to remove.')


def check_any_size(pipeline: RestorationPipeline) -> None:
    """Check that the networks can be exported for images of any size.

    Raises:
        ConfigError: If they can only be exported for a fixed size.
    """
    networks = [pipeline.network, *pipeline.hooks.networks()]
    for network in networks:
        if isinstance(network, RegressionNetwork):
            network = network.network
        fixed = not isinstance(network, ProcessNetwork)
        if isinstance(network, ConditionalNAFNet):
            # the window is cut off at the border of small images
            fixed = network.middle[0].window is not None \
                if len(network.middle) else False
        if fixed:
            raise refusal(
                f'{type(network).__name__} with its settings cannot take '
                'images of any size in a graph; specify --height and --width')


def choose_sampler(pipeline: RestorationPipeline,
                   options: 'ExportOptions') -> Sampler:
    """Return the sampler of a graph.

    Raises:
        ConfigError: If it does not fit the model, or cannot be exported.
    """
    sampler = pipeline.choose_sampler(options.sampler, options.steps)
    if isinstance(sampler, DiffusersSampler):
        raise refusal('schedulers of diffusers keep a state outside of the '
                      'graph; choose another --sampler, such as multistep')
    dial = pipeline.choose_dial(options.crispness, sampler)
    calls = pipeline.max_calls(sampler) * (dial.draws if dial else 1)
    calls *= pipeline.self_ensemble
    if calls > MAX_CALLS:
        raise refusal(f'it would contain {calls} network calls, more than '
                      f'{MAX_CALLS}; reduce --steps or --self-ensemble')
    return sampler
