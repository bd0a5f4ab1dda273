"""What mmagic's inpainting models need on our data: masks."""
import torch
from mmagic.models.data_preprocessors import DataPreprocessor
from mmagic.models.editors.deepfillv2 import DeepFillEncoderDecoder
from torch import Tensor

from ...registry import MODELS


@MODELS.register_module()
class WhiteHolePreprocessor(DataPreprocessor):
    """Reads the mask of mmagic's inpainting models off the image.

    Holes are white in our data, and the restorer is not told where they are;
    so what is purely white is a hole here, and every model knows the same.
    White parts of a photo count too: they are filled like a hole. Images are
    padded with white, so that what was added is a hole as well.

    Args:
        mean, std (float): Of all channels.
        **kwargs: :class:`DataPreprocessor`'s.
    """

    def __init__(self, mean: float = 127.5, std: float = 127.5,
                 **kwargs) -> None:
        super().__init__(mean=[mean] * 3, std=[std] * 3, pad_value=255,
                         **kwargs)
        self.white = (255 - mean) / std

    def forward(self, data: dict, training: bool = False) -> dict:
        """Adds ``mask`` (B, 1, H, W), 1 in holes, to the samples."""
        data = super().forward(data, training)
        hole = (data['inputs'] >= self.white).all(1, keepdim=True)
        data['data_samples'].set_tensor_data(dict(mask=hole.float()))
        return data


@MODELS.register_module()
class GreyHolesDeepFill(DeepFillEncoderDecoder):
    """DeepFillv2's generator, which wants holes grey (0 in [-1, 1]).

    The model goes on with the white ones: they are what is shown and scored
    as its input. The weights have the names that they have in mmagic.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Both stages' images of (image, ones, mask), (B, 5, H, W)."""
        image, ones, mask = x.split((3, 1, 1), dim=1)
        return super().forward(
            torch.cat((image * (1 - mask), ones, mask), dim=1))
