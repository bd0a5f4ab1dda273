"""Building of pipelines from the settings and weights in a file."""
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Dict, Iterator, Optional, Tuple, Union

import torch
from torch import Tensor, nn

from ..errors import CheckpointError
from ..inference import (Hooks, LatentHooks, NetworkCalls, Refinement,
                         RestorationPipeline)
from ..inference.arrays import Upscale
from ..inference.components import build
from ..inference.intervals import Calibration
from ..networks import ProcessNetwork
from ..networks.blocks import TimeEmbedding
from ..samplers.base import Sampler
from ..sde import SDE, Output
from .checkpoints import check_fit, read_checkpoint, without_prefix
from .device import check_device
from .limits import limit_parameters, building_from_file
from .origin import origin_of
from .settings import pipeline_settings


def open_pipeline(path: Union[str, Path],
                  device: Optional[str] = None) -> RestorationPipeline:
    """Load the pipeline of an exported file, a checkpoint or a hub folder.

    Args:
        path (str | Path): The file or folder.
        device (str, optional): By default the first GPU if there is one.

    Raises:
        CheckpointError: If the file is missing, broken, or contains another
            kind of model.
    """
    settings, checkpoint = read_pipeline(path)
    if settings is None:
        raise CheckpointError(
            f"'{path}' does not contain a pipeline of irsde_mm components; "
            'load mmagic models with irsde_mm.apis.init_restorer.')
    return pipeline_of(path, settings, checkpoint, device)


def read_pipeline(path: Union[str, Path]) -> Tuple[Optional[dict], dict]:
    """Read the pipeline settings and the content of a file.

    Returns:
        (settings, checkpoint): The settings are None if the model is not a
        pipeline. The checkpoint has ``state_dict`` and ``meta``.

    Raises:
        CheckpointError: Naming the file.
    """
    checkpoint = read_checkpoint(str(path))
    with errors_naming(path):
        return pipeline_settings(checkpoint), checkpoint


def pipeline_of(path: Union[str, Path], settings: dict, checkpoint: dict,
                device: Optional[str] = None) -> RestorationPipeline:
    """Build a pipeline from the settings and the content of a file.

    Raises:
        CheckpointError: Naming the file, if they do not make a pipeline.
    """
    device = check_device(device)
    with errors_naming(path):
        pipeline = build_pipeline(settings, checkpoint['state_dict'])
    pipeline.origin = origin_of(pipeline, Path(path), settings,
                                checkpoint['meta'])
    return pipeline.to(device)


@contextmanager
def errors_naming(path: Union[str, Path]) -> Iterator[None]:
    """Prefix each CheckpointError with the name of the file."""
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(f"'{path}': {error}") from error


def build_pipeline(settings: dict,
                   weights: Dict[str, Tensor]) -> RestorationPipeline:
    """Build a pipeline from plain settings and weights.

    Args:
        settings (dict): Plain data that :func:`check_settings` accepts.
        weights (dict): ``generator.*`` and, for a refining or latent model,
            ``initial.*`` or ``autoencoder.*``.

    Raises:
        CheckpointError: If the settings are out of range, or weights are
            missing or unexpected.
    """
    with building_from_file():
        return assemble(settings, without_prefix(weights))


def assemble(settings: dict,
             weights: Dict[str, Tensor]) -> RestorationPipeline:
    """Build a pipeline like :func:`build_pipeline`.

    Exceptions raised by components are not converted.
    """
    tile, inference = settings.get('tile', 'auto'), settings.get('inference')
    calls = NetworkCalls(tile, **(inference or {}), output_scale=1)
    networks = build_networks(settings, weights)
    network, sde = networks['generator'], build(settings['sde'], SDE)
    hooks = build_hooks(networks, sde, calls)
    channels = hooks.image_channels(network)
    if channels not in (1, 3):
        raise CheckpointError(f'the network takes {channels} channels; only '
                              '1 and 3 are supported.')
    output, upscale = settings.get('output'), settings.get('upscale')
    pipeline = RestorationPipeline(
        network, sde, settings['sampler'], output and build(output, Output),
        hooks=hooks, calls=calls,
        seed=settings.get('seed', 0), sigma=settings.get('sigma'),
        upscale=upscale and Upscale(**upscale),
        order=settings.get('order', 'RGB'),
        crispness=settings.get('crispness'),
        build=partial(build, base=Sampler))
    pipeline.degradation = settings.get('degradation') or []
    if 'calibration' in settings:
        pipeline.calibration = Calibration(**settings['calibration'])
    return pipeline


def build_hooks(networks: Dict[str, nn.Module], sde: SDE,
                calls: NetworkCalls) -> Hooks:
    """Return the hooks of a model with these networks.

    Raises:
        ConfigError: If an autoencoder does not fit the process.
    """
    if 'autoencoder' in networks:
        return LatentHooks(networks['autoencoder'], networks['generator'],
                           sde, calls)
    if 'initial' in networks:
        return Refinement(networks['initial'], calls)
    return Hooks()


def build_networks(settings: dict,
                   weights: Dict[str, Tensor]) -> Dict[str, nn.Module]:
    """Build the networks of a pipeline and load their weights.

    They are built on the meta device and limited to the size of the weights,
    so that settings in a file cannot exhaust the memory.

    Args:
        settings (dict): Settings of the pipeline.
        weights (dict): State dict of floats of any precision.

    Returns:
        dict[str, nn.Module]: ``generator`` and, for a refining or latent
        model, ``initial`` or ``autoencoder``.

    Raises:
        CheckpointError: If names or shapes do not match the networks.
    """
    others = [key for key in ('initial', 'autoencoder')
              if settings.get(key) is not None]
    if len(others) > 1:
        raise CheckpointError('invalid settings: initial and autoencoder '
                              'cannot be combined.')
    with limit_parameters(weights), torch.device('meta'):
        networks = dict(generator=build(settings['network'], ProcessNetwork))
        for key in others:
            networks[key] = build(settings[key], nn.Module)
    own = nn.ModuleDict(networks).state_dict()
    check_fit(weights, own)
    for part, network in networks.items():
        fill(network, {key: weights[f'{part}.{key}']
                       for key in network.state_dict()})
    return networks


def fill(network: nn.Module, weights: Dict[str, Tensor]) -> None:
    """Load weights into a network that was built on the meta device."""
    # copied, because tensors read from a file are not aligned for the kernels
    network.load_state_dict({key: value.to(torch.float32, copy=True)
                             for key, value in weights.items()}, assign=True)
    for module in network.modules():
        if isinstance(module, TimeEmbedding):
            module.tabulate()
    # the memory format that our constructors use
    network.to(memory_format=torch.channels_last)
    network.requires_grad_(False).eval()
