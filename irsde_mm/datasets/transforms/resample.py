"""Low resolution, as super-resolution benchmarks have it."""
import numpy as np
import torch
import torch.nn.functional as F
from mmcv.transforms import BaseTransform

from ...errors import DataError
from ...registry import TRANSFORMS
from .degradation import Degradation


def resize(image: np.ndarray, size: tuple, **kwargs) -> np.ndarray:
    """torch's interpolate for an (H, W, C) array."""
    tensor = torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32))
    result = F.interpolate(tensor.permute(2, 0, 1)[None], size=size, **kwargs)
    return result[0].permute(1, 2, 0).contiguous().numpy()


@TRANSFORMS.register_module()
class LowResolution(Degradation):
    """Makes the small image ``img`` of a clean one.

    Bicubic with antialiasing (a = -0.5, as MATLAB's imresize behind DIV2K),
    rounded to 8 bits as files are. ``gt`` is cut at the right and bottom to a
    multiple of the scale.

    Args:
        scale (int): How many times smaller, at least 2.

    Raises:
        ValueError: If the scale is no whole number of at least 2.
    """

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = _checked(scale)

    def degrade(self, image: np.ndarray, rng: np.random.Generator,
                results: dict) -> np.ndarray:
        h, w = (side // self.scale for side in image.shape[:2])
        if not (h and w):
            raise DataError(f"'{results.get('gt_path')}' is smaller than the "
                            f'scale, {self.scale}.')
        cut = slice(h * self.scale), slice(w * self.scale)
        results['gt'] = results['gt'][cut]
        results['scale'] = self.scale
        small = resize(image[cut], (h, w), mode='bicubic', antialias=True)
        return small.round().clip(0, 255)


@TRANSFORMS.register_module()
class Upsample(BaseTransform):
    """Brings the small image ``img`` to the size of the clean one.

    Bicubic with a = -0.75 and no antialiasing, float and not clipped: what
    the published super-resolution models were trained on ('nearest' for the
    published weights that want it). Sets ``scale`` to 1.

    Args:
        scale (int): How many times larger, at least 2.
        mode (str): 'bicubic' or 'nearest'.

    Raises:
        ValueError: If an argument is none of these.
        DataError: If ``gt`` is there and not ``scale`` times as large.
    """

    def __init__(self, scale: int, mode: str = 'bicubic') -> None:
        self.scale = _checked(scale)
        if mode not in ('bicubic', 'nearest'):
            raise ValueError("Upsample: mode must be 'bicubic' or 'nearest', "
                             f'not {mode!r}.')
        self.mode = mode

    def transform(self, results: dict) -> dict:
        size = tuple(self.scale * side for side in results['img'].shape[:2])
        if 'gt' in results and results['gt'].shape[:2] != size:
            raise DataError(
                f"'{results.get('img_path')}' and '{results.get('gt_path')}' "
                f'do not fit the scale {self.scale}: '
                f"{results['img'].shape[:2]} and {results['gt'].shape[:2]}.")
        options = dict(align_corners=False) if self.mode == 'bicubic' else {}
        results['img'] = resize(results['img'], size, mode=self.mode,
                                **options)
        results['scale'] = 1
        return results


def _checked(scale: int) -> int:
    if not isinstance(scale, int) or scale < 2:
        raise ValueError('scale must be a whole number of at least 2, not '
                         f'{scale!r}.')
    return scale
