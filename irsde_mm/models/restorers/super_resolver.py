"""mmagic's super-resolution networks on images brought to size."""
from functools import lru_cache
from typing import Optional

import torch
import torch.nn.functional as F
from mmagic.structures import DataSample
from torch import Tensor

from ...networks.blocks import pad_to_multiple
from ...registry import MODELS
from .tiled_model import TiledEditModel


@MODELS.register_module()
class SuperResolver(TiledEditModel):
    """A network that enlarges, on data that is enlarged already.

    The data of super-resolution brings the small image to the size of the
    clean one (:class:`irsde_mm.Upsample`, bicubic), because that is where the
    process starts; EDSR, SwinIR and others want it small. Enlarging by
    interpolation loses nothing: its matrix has full column rank, and the
    pseudo-inverse gives the small image back, up to float rounding. So data
    and metrics are those of all models. Of a part that was cut out after
    enlarging, off the grid of the small pixels, it gives the small image that
    comes closest.

    The weights have the names that they have in mmagic's own model.

    Args:
        scale (int): How many times larger, at least 2; the network's.
        **kwargs: :class:`TiledEditModel`'s; the side of a tile is that of its
            result.
    """

    def __init__(self, scale: int, **kwargs) -> None:
        self.enlarges = scale
        super().__init__(**kwargs)
        self.scale = scale

    def small(self, image: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H / scale, W / scale), rounded up."""
        image = pad_to_multiple(image, self.scale, 'replicate')
        rows, columns = (
            inverse_upsampling(side // self.scale, self.scale).to(image)
            for side in image.shape[-2:])
        return rows @ image @ columns.T

    def forward_tensor(self, inputs: Tensor,
                       data_samples: Optional[DataSample] = None,
                       **kwargs) -> Tensor:
        """Restores a batch.

        Args:
            inputs (Tensor): Small images brought to size, (B, C, H, W) in
                [0, 1].

        Returns:
            Tensor: Restored images (B, C, H, W), not clipped.
        """
        h, w = inputs.shape[-2:]
        large = super().forward_tensor(self.small(inputs), data_samples,
                                       **kwargs)
        return large[..., :h, :w]


@lru_cache(maxsize=16)
def inverse_upsampling(size: int, scale: int) -> Tensor:
    """The pseudo-inverse (size, scale * size) of bicubic upsampling along one
    axis, read off torch's own interpolation."""
    matrix = F.interpolate(
        torch.eye(size, dtype=torch.float64)[None, None],
        size=(scale * size, size), mode='bicubic', align_corners=False)[0, 0]
    return torch.linalg.pinv(matrix)
