"""Conversion of weights from the published layout."""
import re
from typing import Dict, Tuple

from torch import Tensor

from .convert_maxim import maxim_weights
from .other_layouts import other_layout

# (published name, our name); the first match is used
UNET_NAMES = (
    (r'^time_mlp\.1\.', 'time_mlp.0.'),
    (r'^time_mlp\.3\.', 'time_mlp.2.'),
    (r'^init_conv\.', 'conv_in.'),
    (r'^final_conv\.', 'conv_out.'),
    (r'^final_res_block\.', 'block_out.'),
    (r'^(downs|ups)\.(\d+)\.0\.', r'\1.\2.block1.'),
    (r'^(downs|ups)\.(\d+)\.1\.', r'\1.\2.block2.'),
    (r'^(downs|ups)\.(\d+)\.2\.', r'\1.\2.attn.'),
    (r'^(downs|ups)\.(\d+)\.3\.', r'\1.\2.resample.'),
    (r'^(mid_block[12]|mid_attn)\.', r'\1.'),
)
UNET_PARTS = (
    (r'\.mlp\.1\.', '.time_proj.'),
    (r'\.(block[12])\.block([12])\.proj\.', r'.\1.conv\2.'),
    (r'^(mid_block[12]|block_out)\.block([12])\.proj\.', r'\1.conv\2.'),
    (r'\.res_conv\.', '.shortcut.'),
    (r'\.fn\.fn\.to_qkv\.', '.to_qkv.'),
    (r'\.fn\.fn\.to_out\.0\.', '.to_out.'),
    (r'\.fn\.fn\.to_out\.1\.g$', '.norm_out.weight'),
    (r'\.fn\.fn\.to_out\.(weight|bias)$', r'.to_out.\1'),
    (r'\.fn\.norm\.g$', '.norm.weight'),
)
NAFNET_NAMES = (
    (r'^time_mlp\.1\.', 'time_mlp.0.'),
    (r'^time_mlp\.3\.', 'time_mlp.2.'),
    (r'^intro\.', 'conv_in.'),
    (r'^ending\.', 'conv_out.'),
    (r'^middle_blks\.', 'middle.'),
    (r'^(encoders|decoders|downs|ups)\.', r'\1.'),
)
LATENT_UNET_NAMES = (
    (r'^init_conv\.', 'conv_in.'),
    (r'^final_conv\.', 'conv_out.'),
    (r'^latent_conv\.', 'to_latent.'),
    (r'^post_latent_conv\.', 'from_latent.'),
    (r'^(encoder|decoder)\.(\d+)\.0\.', r'\1.\2.block1.'),
    (r'^(encoder|decoder)\.(\d+)\.1\.', r'\1.\2.block2.'),
    (r'^(encoder|decoder)\.(\d+)\.2\.', r'\1.\2.attn.'),
    (r'^(encoder|decoder)\.(\d+)\.3\.', r'\1.\2.resample.'),
)
NAFNET_PARTS = (
    (r'\.mlp\.1\.', '.time_proj.1.'),
    (r'\.sca\.1\.', '.channel_attn.'),
    (r'\.(norm[12])\.g$', r'.\1.weight'),
)


def convert_state_dict(official: Dict[str, Tensor],
                       arch: str = 'unet') -> Tuple[Dict[str, Tensor], dict]:
    """Rename published weights and derive the network's config from them.

    Args:
        official (dict): State dict in the layout of the published IR-SDE
            ('unet') or Refusion checkpoints, or the arrays of MAXIM's Flax
            checkpoints by their path below ``opt/target/``.
        arch (str): 'unet', 'nafnet', 'latent_nafnet' or 'latent_unet' (the
            networks of Refusion for images, for latents, and its
            autoencoder), or 'maxim'. Weights of the two NAFNets have the same
            names and shapes.

    Returns:
        (state_dict, generator_config): Weights for the network that the
        config builds. Width, depth, channels, condition and MAXIM's variant
        are derived from the weights.

    Raises:
        ValueError: If ``arch`` is unknown, the names do not match that
            network, or they are those of a network that this package does not
            have (RDDM, ResShift, I2SB).
    """
    layouts = dict(unet=(UNET_NAMES, UNET_PARTS, _unet_config),
                   nafnet=(NAFNET_NAMES, NAFNET_PARTS, _nafnet_config),
                   latent_nafnet=(NAFNET_NAMES, NAFNET_PARTS,
                                  _latent_nafnet_config),
                   latent_unet=(LATENT_UNET_NAMES, UNET_PARTS,
                                _latent_unet_config))
    if arch == 'maxim':
        return maxim_weights(official)
    if arch not in layouts:
        raise ValueError(f"unknown arch {arch!r}; supported: "
                         f"{', '.join(layouts)}, maxim.")
    refusal = other_layout(official)
    if refusal:
        raise ValueError(refusal)
    names, parts, read_config = layouts[arch]
    state_dict = {}
    for key, value in official.items():
        new = key.removeprefix('module.')
        if not any(re.search(pattern, new) for pattern, _ in names):
            raise ValueError(f"'{key}' is not a parameter of the published "
                             f'{arch}: the file is for another network, or '
                             'contains more than a state dict.')
        for table in (names, parts):
            for pattern, replacement in table:
                if re.search(pattern, new):
                    new = re.sub(pattern, replacement, new)
                    break
        state_dict[new] = value
    try:
        return state_dict, read_config(state_dict)
    except KeyError as error:
        raise ValueError(f'the file lacks the parameter {error} of the '
                         f'published {arch}.') from None


def _count(state_dict: dict, prefix: str) -> int:
    """Count the numbered children under a prefix."""
    found = {re.match(re.escape(prefix) + r'\.(\d+)\.', key)
             for key in state_dict}
    return len({m.group(1) for m in found if m})


def _unet_config(state_dict: dict) -> dict:
    first, last = state_dict['conv_in.weight'], state_dict['conv_out.weight']
    # only in the conditional network does the middle attention end in a norm
    conditional = 'mid_attn.norm_out.weight' in state_dict
    return dict(
        type='irsde_mm.ConditionalUNet',
        in_channels=first.shape[1] // (1 + conditional),
        out_channels=last.shape[0],
        base_channels=first.shape[0],
        depth=_count(state_dict, 'downs'),
        conditional=conditional)


def _nafnet_config(state_dict: dict) -> dict:
    first, last = state_dict['conv_in.weight'], state_dict['conv_out.weight']
    levels = range(_count(state_dict, 'encoders'))
    return dict(
        type='irsde_mm.ConditionalNAFNet',
        in_channels=last.shape[0],
        width=first.shape[0],
        enc_blocks=[_count(state_dict, f'encoders.{i}') for i in levels],
        middle_blocks=_count(state_dict, 'middle'),
        dec_blocks=[_count(state_dict, f'decoders.{i}') for i in levels],
        conditional=first.shape[1] == 2 * last.shape[0])


def _latent_nafnet_config(state_dict: dict) -> dict:
    return dict(_nafnet_config(state_dict), long_skip=True)


def _latent_unet_config(state_dict: dict) -> dict:
    base, channels = state_dict['conv_in.weight'].shape[:2]
    return dict(
        type='irsde_mm.LatentUNet', in_channels=channels, base_channels=base,
        channel_factors=[
            state_dict[f'encoder.{i}.resample.weight'].shape[0] // base
            for i in range(_count(state_dict, 'encoder'))],
        latent_channels=state_dict['to_latent.weight'].shape[0])
