"""Conversion of MAXIM's Flax checkpoints."""
import math
import re
from typing import Dict, Tuple

import torch
from torch import Tensor, nn

from ..networks import MAXIM
from ..networks.maxim.network import VARIANTS
from ..networks.maxim.stage import DEPTH

# (our name, Flax name), all applied in order; parts not yet replaced keep
# their dots
STAGE = r'^stages\.(\d+)\.'
NAMES = (
    (STAGE + r'stems\.(\d+)$', r'stage_\1_input_conv_\2'),
    (STAGE + r'fuse\.(\d+)', r'stage_\1_input_fuse_sam_\2'),
    (STAGE + r'encoders\.(\d+)', r'stage_\1_encoder_block_\2'),
    (STAGE + r'encoder_gates\.(\d+)',
     r'stage_\1_encoder_block_\2/cross_gating_block'),
    (STAGE + r'downs\.(\d+)$', r'stage_\1_encoder_block_\2/Conv_1'),
    (STAGE + r'bottleneck\.(\d+)', r'stage_\1_global_block_\2'),
    (STAGE + r'gates\.(\d+)', r'stage_\1_cross_gating_block_\2'),
    (STAGE + r'ups\.(\d+)$', r'stage_\1_decoder_block_\2/ConvTranspose_0'),
    (STAGE + r'decoders\.(\d+)',
     r'stage_\1_decoder_block_\2/UNetEncoderBlock_0'),
    (STAGE + r'heads\.(\d+)$', r'stage_\1_output_conv_\2'),
    (STAGE + r'heads\.(\d+)', r'stage_\1_supervised_attention_module_\2'),
    (r'\.feature$', '/Conv_0'),
    (r'\.image$', '/Conv_1'),
    (r'\.attention$', '/Conv_2'),
    (r'(global_block_\d+)\.proj$', r'\1/input_proj'),
    (r'\.proj$', '/Conv_0'),
    (r'\.blocks\.(\d+)\.0', r'/SplitHeadMultiAxisGmlpLayer_\1'),
    (r'(global_block_\d+)\.blocks\.(\d+)\.1',
     r'\1/channel_attention_block_1_\2'),
    (r'\.blocks\.(\d+)\.1', r'/channel_attention_block_1\1'),
    (r'\.attention\.squeeze$', '/channel_attention/Conv_0'),
    (r'\.attention\.excite$', '/channel_attention/Conv_1'),
    (r'\.fc1$', '/channel_mixing/Dense_0'),
    (r'\.fc2$', '/channel_mixing/Dense_1'),
    (r'\.gate_([xy])', r'/SplitHeadMultiAxisGating_\1'),
    (r'(GmlpLayer_\d+|Gating_[xy])\.norm$', r'\1/LayerNorm_in'),
    (r'Gating_([xy])\.grid$', r'Gating_\1/Dense_0'),
    (r'Gating_([xy])\.block$', r'Gating_\1/Dense_1'),
    (r'\.grid\.(gate_norm|mixing)$', r'.grid/GridGatingUnit.\1'),
    (r'\.block\.(gate_norm|mixing)$', r'.block/BlockGatingUnit.\1'),
    (r'\.grid\b', '/GridGmlpLayer'),
    (r'\.block\b', '/BlockGmlpLayer'),
    (r'\.gate_norm$', '/intermediate_layernorm'),
    (r'\.mixing$', '/Dense_0'),
    (r'\.proj_(in|out)$', r'/\1_project'),
    (r'\.norm(_[xy])?$', r'/LayerNorm\1'),
    (r'\.up$', '/ConvTranspose_0'),
    (r'\.proj_x$', '/Conv_0'),
    (r'\.proj_y$', '/Conv_1'),
    (r'\.(in|out)_([xy])$', r'/\1_project_\2'),
    (r'\.(conv[12])$', r'/\1'),
)


def flax_name(name: str) -> str:
    """Return the path in the Flax tree of a module that has parameters."""
    resample = re.match(STAGE + r'(bridges|skips)\.(\d+)\.(\d+)$', name)
    if resample:  # numbered over the whole network, deep levels first
        stage, kind, i, j = resample.groups()
        if kind == 'skips':  # concatenated with deep levels first
            j = DEPTH - 1 - int(j)
        number = (2 * int(stage) + (kind == 'skips')) * DEPTH**2
        number += (DEPTH - 1 - int(i)) * DEPTH + int(j)
        return f'UpSampleRatio_{number}/Conv_0'
    for pattern, replacement in NAMES:
        name = re.sub(pattern, replacement, name)
    return name


def maxim_weights(flax: Dict[str, Tensor]) -> Tuple[Dict[str, Tensor], dict]:
    """Convert Flax parameters to weights of :class:`MAXIM` and its config.

    Args:
        flax (dict): Arrays by path in the parameter tree.

    Returns:
        (state_dict, generator_config)

    Raises:
        ValueError: If parameters are missing, unknown, or do not have the
            shape expected for the variant.
    """
    config = maxim_config(flax)
    with torch.device('meta'):
        net = MAXIM(**{k: v for k, v in config.items() if k != 'type'})
    state_dict, left = {}, dict(flax)
    for name, module in net.named_modules():
        for own, parameter in module.named_parameters(recurse=False):
            leaf = own if own == 'bias' else 'scale' if isinstance(
                module, nn.LayerNorm) else 'kernel'
            path = f'{flax_name(name)}/{leaf}'
            if path not in left:
                raise ValueError(f"the file lacks the parameter '{path}' of "
                                 f"MAXIM {config['variant']}.")
            state_dict[f'{name}.{own}'] = fitted(
                left.pop(path), parameter, module, path)
    if left:
        raise ValueError(f"'{min(left)}' is not a parameter of MAXIM "
                         f"{config['variant']}, unlike the rest of the file; "
                         f'{len(left)} parameter(s) do not belong to it.')
    return state_dict, config


def fitted(value: Tensor, parameter: Tensor, module: nn.Module,
           path: str) -> Tensor:
    """Convert a Flax array to the layout of a torch parameter.

    Raises:
        ValueError: If the array does not have the expected shape.
    """
    transposed = isinstance(module, nn.ConvTranspose2d)
    order = {1: (0, ), 2: (1, 0), 4: (2, 3, 0, 1) if transposed else (
        2, 3, 1, 0)}[parameter.dim()]
    expected, shape = parameter.permute(order).shape, value.shape
    if isinstance(module, nn.Linear) and shape[:-2] == (1, 1):
        value = value[0, 0]  # a 1x1 convolution
    if value.shape != expected:
        raise ValueError(f"'{path}' is {tuple(shape)} in the file, but "
                         f'{tuple(expected)} is expected from the other '
                         'parameters.')
    value = value.permute([order.index(i) for i in range(len(order))])
    if transposed and value.dim() > 1:  # Flax does not flip the kernel
        value = value.flip(2, 3)
    return value.float().contiguous()


def maxim_config(flax: Dict[str, Tensor]) -> dict:
    """Derive the config of the network from its Flax parameters.

    Raises:
        ValueError: If the parameters do not belong to MAXIM.
    """
    def count(pattern: str) -> int:
        return len({m.group(1) for m in map(re.compile(pattern).match, flax)
                    if m})

    def array(path: str, dim: int) -> Tensor:
        if path not in flax or flax[path].dim() != dim:
            raise ValueError(f"the file lacks the parameter '{path}' with "
                             f'{dim} axes of the published MAXIM.')
        return flax[path]

    def side(part: str) -> int:
        return math.isqrt(len(array(
            f'{part}/SplitHeadMultiAxisGmlpLayer_0/BlockGmlpLayer/'
            'BlockGatingUnit/Dense_0/bias', 1)))

    *_, channels, width = array('stage_0_input_conv_0/kernel', 4).shape
    sizes = dict(
        width=width,
        num_groups=count(
            r'stage_0_encoder_block_0/SplitHeadMultiAxisGmlpLayer_(\d+)/'),
        num_bottlenecks=count(r'stage_0_global_block_(\d+)/'),
        sides=(side('stage_0_encoder_block_0'),
               side('stage_0_global_block_0')),
        num_stages=count(r'stage_(\d+)_input_conv_0/'))
    names = [name for name, known in VARIANTS.items() if known == sizes]
    return dict(type='irsde_mm.MAXIM', variant=names[0] if names else sizes,
                in_channels=channels,
                num_scales=count(r'stage_0_input_conv_(\d+)/'))
