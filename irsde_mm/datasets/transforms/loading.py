"""Images from files."""
from mmcv.transforms import BaseTransform

from ...registry import TRANSFORMS
from ..image_reader import MAX_PIXELS, read_image


@TRANSFORMS.register_module()
class LoadImage(BaseTransform):
    """Reads the image ``{key}_path`` names, by :func:`read_image`.

    It fills what mmagic's ``LoadImageFromFile`` fills, which gives the same
    pixels of ordinary files, but decodes what is truncated or transparent as
    if it were not. Images of more pixels than the sample's ``max_pixels`` are
    refused.

    Args:
        key (str): The image, such as 'img' or 'gt'.
        color_type (str): 'color' for (H, W, 3) uint8 BGR, 'grayscale' for
            (H, W, 1).

    Raises:
        ValueError: If the colour type is neither.
        ImageError: From :func:`read_image`.
    """

    def __init__(self, key: str, color_type: str = 'color') -> None:
        if color_type not in ('color', 'grayscale'):
            raise ValueError("LoadImage: color_type must be 'color' or "
                             f"'grayscale', not {color_type!r}.")
        self.key = key
        self.color_type = color_type

    def transform(self, results: dict) -> dict:
        image = read_image(
            results[f'{self.key}_path'], self.color_type == 'grayscale',
            results.get('max_pixels', MAX_PIXELS))
        results[self.key] = image
        results[f'ori_{self.key}_shape'] = image.shape
        results[f'{self.key}_channel_order'] = 'bgr'
        results[f'{self.key}_color_type'] = self.color_type
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(key={self.key}, '
                f'color_type={self.color_type})')
