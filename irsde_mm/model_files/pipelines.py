"""A pipeline and its file: settings as plain data, weights."""
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Dict, Iterator, Optional, Tuple, Union

import torch
from torch import Tensor, nn

from ..errors import CheckpointError
from ..inference import NetworkCalls, Refinement, RestorationPipeline
from ..inference.arrays import Upscale
from ..inference.components import build
from ..networks import ProcessNetwork
from ..networks.blocks import TimeEmbedding
from ..samplers.base import Sampler
from ..sde import SDE, Output
from .checkpoints import check_fit, read_checkpoint, without_prefix
from .device import check_device
from .limits import limit_parameters, model_of_a_file
from .settings import pipeline_settings


def open_pipeline(path: Union[str, Path],
                  device: Optional[str] = None) -> RestorationPipeline:
    """The pipeline of an exported file or a checkpoint, read once.

    Args:
        path (str | Path): The file.
        device (str, optional): By default the first GPU if there is one.

    Raises:
        CheckpointError: If it is missing, broken, or holds another kind of
            model.
    """
    settings, weights = read_pipeline(path)
    if settings is None:
        raise CheckpointError(
            f"'{path}' does not hold a pipeline of irsde_mm's own components; "
            'irsde_mm.apis.init_restorer opens models of mmagic.')
    return pipeline_of(path, settings, weights, device)


def read_pipeline(path: Union[str, Path]
                  ) -> Tuple[Optional[dict], Dict[str, Tensor]]:
    """The settings of the pipeline in a file, None for another model, and
    weights.

    Raises:
        CheckpointError: Naming the file.
    """
    checkpoint = read_checkpoint(str(path))
    with naming(path):
        return pipeline_settings(checkpoint), checkpoint['state_dict']


def pipeline_of(path: Union[str, Path], settings: dict,
                weights: Dict[str, Tensor],
                device: Optional[str] = None) -> RestorationPipeline:
    """The pipeline of settings and weights that came from a file.

    Raises:
        CheckpointError: Naming the file, if they are not a pipeline's.
    """
    device = check_device(device)
    with naming(path):
        pipeline = build_pipeline(settings, weights)
    return pipeline.to(device)


@contextmanager
def naming(path: Union[str, Path]) -> Iterator[None]:
    """Names the file in errors about its content."""
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(f"'{path}': {error}") from error


def build_pipeline(settings: dict,
                   weights: Dict[str, Tensor]) -> RestorationPipeline:
    """A pipeline of settings and weights from a file.

    Args:
        settings (dict): Plain data that :func:`check_settings` accepts.
        weights (dict): ``generator.*`` and, for a refining model,
            ``initial.*``.

    Raises:
        CheckpointError: If the settings are out of range, or weights are
            missing or left over.
    """
    with model_of_a_file():
        return assemble(settings, without_prefix(weights))


def assemble(settings: dict,
             weights: Dict[str, Tensor]) -> RestorationPipeline:
    """As :func:`build_pipeline`, with any exception from a component."""
    tile, inference = settings.get('tile', 'auto'), settings.get('inference')
    calls = NetworkCalls(tile, **(inference or {}), output_scale=1)
    networks = build_networks(settings, weights)
    network, initial = networks['generator'], networks.get('initial')
    if network.in_channels not in (1, 3):
        raise CheckpointError(f'its images have {network.in_channels} '
                              'channels, not 1 or 3.')
    output, upscale = settings.get('output'), settings.get('upscale')
    pipeline = RestorationPipeline(
        network, build(settings['sde'], SDE), settings['sampler'],
        output and build(output, Output),
        hooks=initial and Refinement(initial, calls), calls=calls,
        seed=settings.get('seed', 0), sigma=settings.get('sigma'),
        upscale=upscale and Upscale(**upscale),
        order=settings.get('order', 'RGB'),
        build=partial(build, base=Sampler))
    pipeline.degradation = settings.get('degradation') or []
    return pipeline


def build_networks(settings: dict,
                   weights: Dict[str, Tensor]) -> Dict[str, nn.Module]:
    """The networks of a pipeline, ``generator`` and perhaps ``initial``, with
    their weights; built without memory of their own, and never larger than
    the weights.

    Args:
        settings (dict): The pipeline's.
        weights (dict): State dict, of floats of any precision.

    Raises:
        CheckpointError: If names or shapes are not those of the networks.
    """
    with limit_parameters(weights), torch.device('meta'):
        networks = dict(generator=build(settings['network'], ProcessNetwork))
        if settings.get('initial') is not None:
            networks['initial'] = build(settings['initial'], nn.Module)
    own = nn.ModuleDict(networks).state_dict()
    check_fit(weights, own)
    for part, network in networks.items():
        fill(network, {key: weights[f'{part}.{key}']
                       for key in network.state_dict()})
    return networks


def fill(network: nn.Module, weights: Dict[str, Tensor]) -> None:
    """Gives a network that was built without memory its weights."""
    # cloned, because the tensors of a file are not aligned for the kernels
    network.load_state_dict({key: value.to(torch.float32, copy=True)
                             for key, value in weights.items()}, assign=True)
    for module in network.modules():
        if isinstance(module, TimeEmbedding):
            module.tabulate()
    # as constructors lay weights out
    network.to(memory_format=torch.channels_last)
    network.requires_grad_(False).eval()
