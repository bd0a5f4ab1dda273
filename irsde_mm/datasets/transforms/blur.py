"""Motion blur from camera shake and from averaged frames."""
from typing import Tuple

import cv2
import numpy as np

from ...registry import TRANSFORMS
from .degradation import Degradation, check_ranges

STEPS = 64  # points on a camera path


@TRANSFORMS.register_module()
class MotionBlur(Degradation):
    """Motion blur along a random camera path.

    ``kind='shake'`` convolves the image with the path, as camera-shake kernels
    do (a smooth random walk, after Boracchi and Foi, 2012). ``kind='frames'``
    averages frames shifted along the path in linear intensities (see
    ``gamma``), as GoPro averages the frames of a high-speed camera (Nah et
    al., CVPR 2017). The image is padded by reflection.

    Args:
        length (tuple[float, float]): Length of the path in pixels.
        kind (str): 'shake' or 'frames'.
        frames (tuple[int, int]): Minimum and maximum number of frames. Only
            used by 'frames'.
        gamma (float): Gamma of the camera's response. Only used by 'frames'.
        angle (tuple[float, float]): Overall direction of the motion in
            degrees; 0 is along the rows.
        inertia (float): Smoothness of the motion, in [0, 1). Near 1 the path
            is slightly curved; at 0 the camera jitters in place.
        fixed, seed: See :class:`Degradation`.

    Raises:
        ValueError: If an argument is out of range or ``kind`` is unknown.
    """

    def __init__(self, length: Tuple[float, float] = (8, 24),
                 kind: str = 'shake', frames: Tuple[int, int] = (7, 13),
                 gamma: float = 2.2,
                 angle: Tuple[float, float] = (-90, 90),
                 inertia: float = 0.95, fixed: bool = False,
                 seed: int = 0) -> None:
        super().__init__(fixed, seed)
        check_ranges('MotionBlur', locals(), dict(
            length=(1, 200), frames=(2, 100), angle=(-90, 90)))
        if kind not in ('shake', 'frames'):
            raise ValueError("MotionBlur: kind must be 'shake' or 'frames', "
                             f'but got {kind!r}.')
        if gamma <= 0:
            raise ValueError('MotionBlur: gamma must be positive, but got '
                             f'{gamma}.')
        if not 0 <= inertia < 1:
            raise ValueError('MotionBlur: inertia must be in [0, 1), but got '
                             f'{inertia}.')
        self.length, self.angle, self.inertia = length, angle, inertia
        self.kind, self.frames, self.gamma = kind, frames, gamma

    def degrade(self, image: np.ndarray, rng: np.random.Generator,
                results: dict) -> np.ndarray:
        path = camera_path(rng.uniform(*self.length),
                           rng.uniform(*self.angle), self.inertia, rng)
        if self.kind == 'shake':
            blurred = cv2.filter2D(image, -1, path_kernel(path),
                                   borderType=cv2.BORDER_REFLECT_101)
            return blurred.reshape(image.shape)
        count = rng.integers(*self.frames, endpoint=True)
        chosen = path[np.linspace(0, len(path) - 1, count).round().astype(int)]
        linear = (image / 255)**self.gamma
        mean = np.mean([shifted(linear, *point) for point in chosen], axis=0)
        return 255 * mean**(1 / self.gamma)


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
