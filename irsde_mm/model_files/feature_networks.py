"""Pretrained networks of perceptual metrics and losses, from weights files."""
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Callable, Dict, Sequence

import torch
from torch import Tensor, nn

from ..errors import CheckpointError
from ..io.weights import read_plain
from ..networks.perceptual import DISTSDistance, LPIPSDistance
from ..networks.vgg import VGG16Features

ALEXNET_FILE = 'weights/alexnet-owt-7be5be79.pth'
VGG16_FILE = 'weights/vgg16-397923af.pth'
DISTS_FILE = 'weights/dists.pth'
Weights = Dict[str, Tensor]


def load_network(path: str, network_name: str, user: str,
                 build: Callable[[Weights], nn.Module]) -> nn.Module:
    """Build a network with the weights of a file, in eval mode.

    Args:
        path (str): File with the network's state dict.
        network_name (str): Name of the network in messages.
        user (str): Name of the metric or loss in messages.
        build (callable): Builds the network from its weights; raises a
            RuntimeError if they do not match.

    Raises:
        CheckpointError: If the file is missing, broken, or belongs to another
            network.
    """
    try:
        weights = read_plain(path)
    except CheckpointError as error:
        raise CheckpointError(f'{error} {user} needs the weights of '
                              f'{network_name}.') from error
    # load_state_dict raises other errors for other values
    weights = {key: value for key, value in weights.items()
               if isinstance(key, str) and isinstance(value, Tensor)}
    try:
        network = build(weights)
    except RuntimeError as error:
        raise CheckpointError(
            f"'{path}' is not {network_name}, which {user} needs: "
            f'{str(error).splitlines()[-1].strip()[:120]}') from error
    return network.float().eval().requires_grad_(False)


def filled(network: nn.Module, weights: Weights) -> nn.Module:
    """Load the weights of a network on the meta device.

    Networks are built there because it is fast and does not change the random
    state of a training run.

    Raises:
        RuntimeError: If the weights do not match.
    """
    network.load_state_dict(weights, assign=True)
    return network


def vgg16(layers: Sequence[str], weights: Weights) -> nn.Module:
    """Build VGG16's convolutions up to the deepest of some layers."""
    with torch.device('meta'):
        network = VGG16Features(layers)
    wanted = network.state_dict()
    return filled(network, {
        key: value for key, value in weights.items() if key in wanted})


def lpips_distance(net: str, weights: Weights) -> nn.Module:
    """Build LPIPS with the linear heads of the lpips package.

    Args:
        net (str): 'alex' or 'vgg'.
        weights (dict): State dict of torchvision's network, or all weights of
            ``lpips.LPIPS``.
    """
    heads = read_plain(str(Path(find_spec('lpips').origin).parent
                           / f'weights/v0.1/{net}.pth'))
    found = {}
    for key, value in {**heads, **weights}.items():
        key = re.sub(r'^(net\.slice\d|features)\.', 'net.features.', key)
        key = re.sub(r'^lins?\.?(\d)\.model\.1\.weight$', r'heads.\1', key)
        if not key.startswith(('classifier.', 'scaling_layer.')):
            found[key] = value
    with torch.device('meta'):
        network = LPIPSDistance(net)
    return filled(network, found)


def dists_distance(path: str, weights: Weights) -> nn.Module:
    """Build DISTS.

    Args:
        path (str): File with alpha and beta.
        weights (dict): State dict of torchvision's VGG16.

    Raises:
        CheckpointError: If the file is broken or has other values.
    """
    found = read_plain(path)
    with torch.device('meta'):
        network = DISTSDistance()
    for name in ('alpha', 'beta'):
        shape = getattr(network, name).shape
        if getattr(found.get(name), 'shape', None) != shape:
            raise CheckpointError(f"'{path}' does not contain DISTS' alpha "
                                  f'and beta, of shape {tuple(shape)}.')
    return filled(network, dict(
        alpha=found['alpha'], beta=found['beta'], **{
            f'net.{key}': value for key, value in weights.items()
            if not key.startswith('classifier.')}))
