"""mmagic's super-resolution networks for upsampled inputs."""
from typing import Optional

from mmagic.structures import DataSample
from torch import Tensor

from ...networks.blocks import pad_to_multiple
from ...operators.resampling import inverse_upsampling, separable
from ...registry import MODELS
from .tiled_model import TiledEditModel


@MODELS.register_module()
class SuperResolver(TiledEditModel):
    """Super-resolution model for inputs that are already upsampled.

    Super-resolution data upsamples the low-resolution image to the size of the
    clean one (:class:`irsde_mm.Upsample`, bicubic), because the process starts
    there, whereas EDSR, SwinIR and others expect low-resolution input.
    Upsampling by interpolation is lossless: its matrix has full column rank,
    and the pseudo-inverse recovers the low-resolution image up to float
    rounding. This model can therefore use the same data and metrics as all
    others. For a crop taken after upsampling that is not aligned with the
    low-resolution pixels, the pseudo-inverse gives the closest low-resolution
    image.

    Weights have the same names as in mmagic's model.

    Args:
        scale (int, optional): Scale factor of the network, by default its
            attribute ``scale``. A network with 1 gets the images unchanged.
        **kwargs: Arguments of :class:`TiledEditModel`; the side of a tile
            refers to the output.
    """

    def __init__(self, scale: Optional[int] = None, **kwargs) -> None:
        self._scale = scale
        super().__init__(**kwargs)

    @property
    def scale(self) -> int:
        return self._scale or self.generator.scale

    @property
    def output_scale(self) -> int:
        return self.scale

    def small(self, image: Tensor) -> Tensor:
        """Downsample (B, C, H, W) to (B, C, H / scale, W / scale), with sizes
        rounded up."""
        image = pad_to_multiple(image, self.scale, 'replicate')
        return separable(*(
            inverse_upsampling(side // self.scale, self.scale)
            for side in image.shape[-2:]), image)

    def forward_tensor(self, inputs: Tensor,
                       data_samples: Optional[DataSample] = None,
                       **kwargs) -> Tensor:
        """Restore a batch.

        Args:
            inputs (Tensor): Upsampled low-resolution images (B, C, H, W) in
                [0, 1].

        Returns:
            Tensor: Restored images (B, C, H, W), not clipped.
        """
        if self.scale == 1:
            return super().forward_tensor(inputs, data_samples, **kwargs)
        h, w = inputs.shape[-2:]
        large = super().forward_tensor(self.small(inputs), data_samples,
                                       **kwargs)
        return large[..., :h, :w]
