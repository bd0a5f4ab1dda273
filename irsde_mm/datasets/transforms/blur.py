"""Blur from camera shake, averaged frames, straight motion and defocus."""
from typing import Sequence, Tuple, Union

import cv2
import numpy as np

from ...registry import TRANSFORMS
from .degradation import Degradation, check_ranges

KINDS = ('shake', 'frames', 'motion', 'defocus')
STEPS = 64  # points on a camera path


@TRANSFORMS.register_module()
class MotionBlur(Degradation):
    """Blur of one of four kinds, in linear light or not.

    - 'shake': convolution with a random camera path, as camera-shake kernels
      are made (a smooth random walk, after Boracchi and Foi, 2012).
    - 'frames': average of frames shifted along such a path, as GoPro averages
      the frames of a high-speed camera (Nah et al., CVPR 2017).
    - 'motion': convolution with a straight line.
    - 'defocus': convolution with a disc.

    The image is padded by reflection.

    Args:
        length (tuple[float, float]): Length of the path or the line, or
            diameter of the disc, in pixels, 1 to 200.
        kind (str or Sequence[str]): A kind, or several to draw from.
        frames (tuple[int, int]): Minimum and maximum number of frames, 2 to
            100. Only used by 'frames'.
        gamma (float or tuple[float, float], optional): Gamma of the camera's
            response, or a range to draw it from, 0.1 to 10. The blur averages
            linear intensities; 1 averages gray levels. Default: 2.2 for
            'frames', 1 for other kinds.
        angle (tuple[float, float]): Overall direction of the motion in
            degrees, -90 to 90; 0 is along the rows. Not used by 'defocus'.
        inertia (float): Smoothness of a camera path, in [0, 1). Near 1 the
            path is slightly curved; at 0 the camera jitters in place.
        fixed, seed: See :class:`Degradation`.

    Raises:
        ValueError: If an argument is out of range or a kind is unknown.
    """

    def __init__(self, length: Tuple[float, float] = (8, 24),
                 kind: Union[str, Sequence[str]] = 'shake',
                 frames: Tuple[int, int] = (7, 13),
                 gamma: Union[float, Tuple[float, float], None] = None,
                 angle: Tuple[float, float] = (-90, 90),
                 inertia: float = 0.95, fixed: bool = False,
                 seed: int = 0) -> None:
        super().__init__(fixed, seed)
        gamma = (gamma, gamma) if isinstance(gamma, (int, float)) else gamma
        self.kinds = (kind, ) if isinstance(kind, str) else tuple(kind)
        if not self.kinds or not set(self.kinds) <= set(KINDS):
            raise ValueError(f'MotionBlur: kind must be in {", ".join(KINDS)},'
                             f' or several of them, but got {kind!r}.')
        check_ranges('MotionBlur', dict(
            length=length, frames=frames, angle=angle, gamma=gamma or (1, 1)),
            dict(length=(1, 200), frames=(2, 100), angle=(-90, 90),
                 gamma=(0.1, 10)))
        if not 0 <= inertia < 1:
            raise ValueError('MotionBlur: inertia must be in [0, 1), but got '
                             f'{inertia}.')
        self.length, self.angle, self.inertia = length, angle, inertia
        self.frames, self.gamma = frames, gamma

    def degrade(self, image: np.ndarray, rng: np.random.Generator,
                results: dict) -> np.ndarray:
        choice = rng.spawn(1)[0]  # kind and gamma do not change the path
        kind = self.kinds[choice.integers(len(self.kinds))]
        default = (2.2, 2.2) if kind == 'frames' else (1, 1)
        gamma = float(choice.uniform(*self.gamma or default))
        if gamma == 1:
            return self._blur(image, kind, rng)
        linear = (np.maximum(image, 0) / 255)**gamma
        # convolution in the frequency domain can leave tiny negative values
        mean = np.maximum(self._blur(linear, kind, rng), 0)
        return 255 * mean**(1 / gamma)

    def _blur(self, image: np.ndarray, kind: str,
              rng: np.random.Generator) -> np.ndarray:
        length, angle = rng.uniform(*self.length), rng.uniform(*self.angle)
        if kind == 'defocus':
            return convolved(image, disc(length))
        if kind == 'motion':
            return convolved(image, path_kernel(line(length, angle)))
        path = camera_path(length, angle, self.inertia, rng)
        if kind == 'shake':
            return convolved(image, path_kernel(path))
        count = rng.integers(*self.frames, endpoint=True)
        chosen = path[np.linspace(0, len(path) - 1, count).round().astype(int)]
        return np.mean([shifted(image, *point) for point in chosen], axis=0)


def convolved(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Return an image (H, W, C) filtered with a kernel of odd size."""
    return cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REFLECT_101
                        ).reshape(image.shape)


def disc(diameter: float) -> np.ndarray:
    """Return an anti-aliased disc as a square kernel with sum 1.

    A pixel on the edge is weighted by the part of it that the disc covers
    along the radius. A disc of one pixel does not blur.
    """
    radius = int(np.ceil(diameter / 2))
    y, x = np.mgrid[-radius:radius + 1, -radius:radius + 1]
    inside = diameter / 2 + 0.5 - np.hypot(x, y)
    kernel = inside.clip(0, 1).astype(np.float32)
    return kernel / kernel.sum()


def line(length: float, angle: float) -> np.ndarray:
    """Return a straight path (N, 2) with equal, small steps, centered at the
    origin."""
    count = 4 * int(np.ceil(length))
    along = length * ((np.arange(count) + 0.5) / count - 0.5)
    turn = np.deg2rad(angle)
    return along[:, None] * [np.cos(turn), np.sin(turn)]


def camera_path(length: float, angle: float, inertia: float,
                rng: np.random.Generator) -> np.ndarray:
    """Return a random camera path (STEPS, 2), centered at the origin.

    It has the given length. The line from its start to its end has the given
    angle to the rows.
    """
    speed = np.zeros((STEPS, 2))
    speed[0] = rng.standard_normal(2)
    jolts = np.sqrt(1 - inertia**2) * rng.standard_normal((STEPS, 2))
    for i in range(1, STEPS):
        speed[i] = inertia * speed[i - 1] + jolts[i]
    path = speed.cumsum(0)
    total = np.linalg.norm(np.diff(path, axis=0), axis=1).sum()
    along = path[-1] - path[0]
    turn = np.deg2rad(angle) - np.arctan2(along[1], along[0])
    path = path @ np.array([[np.cos(turn), np.sin(turn)],
                            [-np.sin(turn), np.cos(turn)]]) * length / total
    return path - (path.max(0) + path.min(0)) / 2


def path_kernel(path: np.ndarray) -> np.ndarray:
    """Return a path as a square kernel of odd size with sum 1."""
    radius = int(np.ceil(np.abs(path).max())) + 1
    kernel = np.zeros((2 * radius + 1, ) * 2, np.float32)
    low = np.floor(path).astype(int)
    part = path - low
    for dy in (0, 1):
        for dx in (0, 1):
            share = (np.abs(1 - dx - part[:, 0])
                     * np.abs(1 - dy - part[:, 1]))
            np.add.at(kernel, (low[:, 1] + dy + radius,
                               low[:, 0] + dx + radius), share)
    return kernel / kernel.sum()


def shifted(image: np.ndarray, dx: float, dy: float) -> np.ndarray:
    """Return an image shifted by a fractional number of pixels."""
    h, w = image.shape[:2]
    matrix = np.float32([[1, 0, dx], [0, 1, dy]])
    return cv2.warpAffine(image, matrix, (w, h), flags=cv2.INTER_LINEAR,
                          borderMode=cv2.BORDER_REFLECT_101
                          ).reshape(image.shape)
