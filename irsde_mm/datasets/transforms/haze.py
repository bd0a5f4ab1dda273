"""Haze from atmospheric scattering."""
import warnings
from pathlib import Path, PurePath
from typing import Optional, Tuple

import cv2
import numpy as np

from ...errors import DataError
from ...io.image_files import by_stem, list_images
from ...io.reader import image_size
from ...io.white_level import used_bits
from ...registry import TRANSFORMS
from .degradation import Degradation, check_ranges

Range = Tuple[float, float]


@TRANSFORMS.register_module()
class Haze(Degradation):
    """Haze that increases with depth, ``x0 t + A (1 - t)``, t = exp(-beta d).

    This is the scattering model behind RESIDE (Li et al., IEEE TIP 2019). The
    depth d in [0, 1] comes from a depth map with the image's name, or is
    generated: smooth, and on average larger toward the top. With ``uneven``,
    d varies in patches of many sizes, some with sharp edges, as behind objects
    and in drifting smoke. Values are drawn uniformly from the given ranges.

    Args:
        beta (tuple[float, float]): Scattering coefficient, 0 to 10: 0.5 is
            mist, 2 is dense haze.
        airlight (tuple[float, float]): A, in [0, 1].
        tint (tuple[float, float]): Factor of A in [0, 1], drawn for each
            channel: (0.8, 1) gives bluish, yellowish and other haze.
        uneven (tuple[float, float]): Largest relative change of d, in [0, 1].
            The mean of d changes little.
        depth_folder (str, optional): Folder of depth maps, 8- or 16-bit gray
            images with the names and sizes of the clean images. Black is near.
        fixed, seed: See :class:`Degradation`.

    Raises:
        ValueError: If a range is empty or exceeds its limits.
        DataError: If a depth map is missing or has another size.
    """

    def __init__(self, beta: Range = (0.6, 1.8),
                 airlight: Range = (0.7, 1.0), tint: Range = (1, 1),
                 uneven: Range = (0, 0),
                 depth_folder: Optional[str] = None, fixed: bool = False,
                 seed: int = 0) -> None:
        super().__init__(fixed, seed)
        check_ranges('Haze', locals(), dict(
            beta=(0, 10), airlight=(0, 1), tint=(0, 1), uneven=(0, 1)))
        self.beta, self.airlight = beta, airlight
        self.tint, self.uneven = tint, uneven
        self.warned = False
        self.maps = None if depth_folder is None else by_stem(
            list_images(Path(depth_folder)))

    def degrade(self, image: np.ndarray, rng: np.random.Generator,
                results: dict) -> np.ndarray:
        if self.maps is None:
            depth = smooth_depth(image.shape[:2], rng)
        else:
            depth = self._given(results['gt_path'], image.shape[:2])
        look = rng.spawn(1)[0]  # tint and patches keep depth, beta and A
        change = np.float32(look.uniform(*self.uneven))
        depth = depth * (1 + change * patches(depth.shape, look))
        t = np.exp(-np.float32(rng.uniform(*self.beta)) * depth)[..., None]
        light = np.float32(255 * rng.uniform(*self.airlight) * look.uniform(
            *self.tint, image.shape[2]))
        return image * t + light * (1 - t)

    def _given(self, gt_path: str, size: Tuple[int, int]) -> np.ndarray:
        path = self.maps.get(PurePath(gt_path).stem)
        if path is None:
            raise DataError(f"no depth map found for '{gt_path}'.")
        image_size(path)  # raises for broken images
        raw = cv2.imdecode(np.fromfile(path, np.uint8),
                           cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH)
        if raw is None or raw.shape != size or raw.dtype.kind != 'u':
            found = 'not an 8- or 16-bit image' if (
                raw is None or raw.dtype.kind != 'u') else \
                f'{raw.shape[1]}x{raw.shape[0]}'
            raise DataError(f"the depth map '{path}' is {found}, but "
                            f"'{gt_path}' is {size[1]}x{size[0]}.")
        if (raw.dtype == np.uint16 and used_bits(raw) < 16
                and not self.warned):
            self.warned = True
            warnings.warn(
                f"the depth map '{path}' has 16 bits but uses only "
                f'{raw.min()} to {raw.max()}, so everything is near; scale '
                'depth maps to 0..65535. Further maps are not reported.',
                stacklevel=2)
        return raw.astype(np.float32) / np.iinfo(raw.dtype).max


def smooth_depth(size: Tuple[int, int],
                 rng: np.random.Generator) -> np.ndarray:
    """Return a smooth depth map in [0, 1], on average larger at the top."""
    h, w = size
    coarse = rng.uniform(0, 1, (5, 5)).astype(np.float32)
    depth = cv2.resize(coarse, (w, h), interpolation=cv2.INTER_CUBIC)
    depth = 0.5 * depth + 0.5 * np.linspace(1, 0, h, dtype=np.float32)[:, None]
    return depth.clip(0, 1)


def patches(size: Tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return an uneven field (H, W) in [-1, 1], with and without edges."""
    return (octaves(size, rng) + np.sign(octaves(size, rng))) / 2


def octaves(size: Tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return a field (H, W) in [-1, 1] with details of many sizes.

    Each octave has twice as many details per side as the one before it, and
    half its amplitude (Perlin, SIGGRAPH 1985).
    """
    field = np.zeros(size, np.float32)
    for cells in (4, 8, 16, 32):
        grid = rng.uniform(-1, 1, (cells, cells)).astype(np.float32)
        field += cv2.resize(grid, size[::-1],
                            interpolation=cv2.INTER_CUBIC) / cells
    return field / max(np.abs(field).max(), 1e-6)
