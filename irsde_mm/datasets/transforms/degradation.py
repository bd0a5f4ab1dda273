"""Base class of synthetic degradations."""
import zlib
from abc import abstractmethod
from pathlib import PurePath

import numpy as np
from mmcv.transforms import BaseTransform


class Degradation(BaseTransform):
    """Base class of transforms that create ``img`` from the clean ``gt``.

    If there is an ``img`` already, as from an earlier degradation, it is
    degraded further. Images are (H, W, C) arrays, BGR or gray, in 0..255. The
    result is float32. In training the degradation is random (from NumPy's
    global random state, which mmengine seeds in every worker). With ``fixed``
    it depends only on the file name of the clean image and the seed, so every
    run and every method sees the same test images.

    Args:
        fixed (bool): Derive the randomness from the image's name.
        seed (int): Selects one of the fixed versions.
    """

    def __init__(self, fixed: bool = False, seed: int = 0) -> None:
        self.fixed = fixed
        self.seed = seed

    @abstractmethod
    def degrade(self, image: np.ndarray, rng: np.random.Generator,
                results: dict) -> np.ndarray:
        """Return a degraded copy of a float32 image (H, W, C) in 0..255.

        After noise that is not clipped, values can be outside of 0..255.

        ``results`` is the sample, which contains ``gt_path`` of the clean
        image. Values added to it are passed on to the next transform.
        """

    def transform(self, results: dict) -> dict:
        source = 'img' if 'img' in results else 'gt'
        image = np.asarray(results[source], dtype=np.float32)
        degraded = self.degrade(
            image, np.random.default_rng(self._seed(results)), results)
        results['img'] = degraded.astype(np.float32, copy=False)
        for name in ('channel_order', 'color_type', 'path'):
            if f'{source}_{name}' in results:
                results[f'img_{name}'] = results[f'{source}_{name}']
        results['ori_img_shape'] = degraded.shape
        return results

    def _seed(self, results: dict) -> int:
        if not self.fixed:
            return np.random.randint(2**31)
        text = f"{self.seed}:{PurePath(results['gt_path']).name}"
        if 'img' in results:  # independent of the earlier degradations
            text += f':{type(self).__name__}'
        return zlib.crc32(text.encode(errors='surrogateescape'))

    def __repr__(self) -> str:
        values = ', '.join(f'{k}={v}' for k, v in vars(self).items())
        return f'{type(self).__name__}({values})'


def check_ranges(name: str, values: dict, limits: dict) -> None:
    """Check that ranges (from, to) are not empty and within their limits.

    Raises:
        ValueError: If a range is invalid. The message names the first one.
    """
    for key, (low, high) in limits.items():
        value = values[key]
        if not low <= value[0] <= value[1] <= high:
            raise ValueError(f'{name}: {key} must be (from, to) within '
                             f'{low}..{high}, but got {value}.')
