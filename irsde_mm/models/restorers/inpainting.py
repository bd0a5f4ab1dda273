"""Masks for mmagic's inpainting models."""
import torch
from mmagic.models.data_preprocessors import DataPreprocessor
from mmagic.models.editors.deepfillv2 import DeepFillEncoderDecoder
from torch import Tensor

from ...registry import MODELS


@MODELS.register_module()
class WhiteHolePreprocessor(DataPreprocessor):
    """Data preprocessor that derives the mask for mmagic's inpainting models.

    In this project, holes are white and the restorer gets no mask. To give all
    models the same information, every pure white pixel is treated as a hole,
    including white areas of the image itself. Holes of other colors are not
    supported. Images are padded with white, so padding is also a hole.

    Args:
        mean, std (float): Mean and standard deviation of all channels.
        **kwargs: Arguments of :class:`DataPreprocessor`.
    """

    def __init__(self, mean: float = 127.5, std: float = 127.5,
                 **kwargs) -> None:
        super().__init__(mean=[mean] * 3, std=[std] * 3, pad_value=255,
                         **kwargs)
        self.white = (255 - mean) / std

    def forward(self, data: dict, training: bool = False) -> dict:
        """Add ``mask`` (B, 1, H, W), which is 1 in holes, to the samples."""
        data = super().forward(data, training)
        hole = (data['inputs'] >= self.white).all(1, keepdim=True)
        data['data_samples'].set_tensor_data(dict(mask=hole.float()))
        return data


@MODELS.register_module()
class GreyHolesDeepFill(DeepFillEncoderDecoder):
    """Generator of DeepFillv2, which expects gray holes (0 in [-1, 1]).

    Holes are set to gray only inside the generator; the model's input keeps
    white holes for visualization and metrics. Weights have the same names as
    in mmagic.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the images of both stages for (image, ones, mask),
        (B, 5, H, W)."""
        image, ones, mask = x.split((3, 1, 1), dim=1)
        return super().forward(
            torch.cat((image * (1 - mask), ones, mask), dim=1))
