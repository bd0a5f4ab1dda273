"""Base class of synthetic degradations."""
import zlib
from abc import abstractmethod
from pathlib import PurePath

import numpy as np
from mmcv.transforms import BaseTransform


class Degradation(BaseTransform):
    """Makes the degraded image ``img`` from the clean image ``gt``.

    Images are (H, W, C) arrays, BGR or grey, 0..255; the result is float32.
    In training the degradation is random (numpy's global state, which
    mmengine seeds in every worker). With ``fixed`` it depends on the file
    name of the clean image and the seed alone: every run and every method
    then sees the same test images.

    Args:
        fixed (bool): Whether the image's name determines it.
        seed (int): Chooses among the fixed versions.
    """

    def __init__(self, fixed: bool = False, seed: int = 0) -> None:
        self.fixed = fixed
        self.seed = seed

    @abstractmethod
    def degrade(self, image: np.ndarray, rng: np.random.Generator,
                results: dict) -> np.ndarray:
        """A degraded copy of a float32 image (H, W, C) in 0..255.

        ``results`` is the sample: it has the clean image's ``gt_path``, and
        what a degradation adds to it is passed on.
        """

    def transform(self, results: dict) -> dict:
        if self.fixed:
            name = PurePath(results['gt_path']).name
            seed = zlib.crc32(f'{self.seed}:{name}'.encode(
                errors='surrogateescape'))
        else:
            seed = np.random.randint(2**31)
        clean = np.asarray(results['gt'], dtype=np.float32)
        degraded = self.degrade(clean, np.random.default_rng(seed), results)
        results['img'] = degraded.astype(np.float32, copy=False)
        for name in ('channel_order', 'color_type', 'path'):
            if f'gt_{name}' in results:
                results[f'img_{name}'] = results[f'gt_{name}']
        results['ori_img_shape'] = degraded.shape
        return results

    def __repr__(self) -> str:
        values = ', '.join(f'{k}={v}' for k, v in vars(self).items())
        return f'{type(self).__name__}({values})'


def check_ranges(name: str, values: dict, limits: dict) -> None:
    """Refuses ranges (from, to) that are empty or exceed their limits.

    Raises:
        ValueError: Naming the first of them.
    """
    for key, (low, high) in limits.items():
        value = values[key]
        if not low <= value[0] <= value[1] <= high:
            raise ValueError(f'{name}: {key} must be (from, to) within '
                             f'{low}..{high}, but is {value}.')
