"""Published weights that no network of this package can use."""
import re
from typing import Iterable, NamedTuple, Optional, Tuple


class Layout(NamedTuple):
    """Parameter names of another network.

    Attributes:
        what (str): The network, and the paper that published weights of it.
        why (str): What no network of this package has.
        names (tuple[str, ...]): Patterns; each must match the end of a name,
            below any prefix.
    """

    what: str
    why: str
    names: Tuple[str, ...]


# more special layouts first
LAYOUTS = (
    Layout("ResShift's U-Net with Swin attention",
           'it attends within shifted windows and takes latents of a '
           'quantizing autoencoder',
           (r'input_blocks\.0\.0\.weight', r'middle_block\.0\.in_layers\.0\.'
            'weight', r'attn\.relative_position_bias_table')),
    Layout('the U-Net of guided-diffusion, which I2SB trains',
           'it normalizes groups of channels and attends between all pixels '
           'at several resolutions',
           (r'input_blocks\.0\.0\.weight', r'middle_block\.0\.in_layers\.0\.'
            'weight', r'out\.2\.weight')),
    Layout('a U-Net of denoising-diffusion-pytorch, of which RDDM trains two',
           'it standardizes its weights and normalizes groups of channels',
           (r'downs\.0\.0\.block1\.norm\.weight',
            r'mid_block1\.block1\.proj\.bias')),
    Layout("the quantizing autoencoder of ResShift's latents",
           'a LatentUNet has no codebook',
           (r'quantize\.embedding\.weight', r'decoder\.conv_in\.weight')),
)


def other_layout(names: Iterable[str]) -> Optional[str]:
    """Return what the weights of another network are and why they cannot be
    converted, or None if the layout is unknown.

    Args:
        names (Iterable[str]): Names of the weights, with any prefix.
    """
    names = list(names)
    for layout in LAYOUTS:
        if all(any(re.search(rf'(?:^|\.){pattern}$', name)
                   for name in names) for pattern in layout.names):
            return (f'these are weights of {layout.what}, which no network of '
                    f'irsde_mm can use: {layout.why}.')
    return None
