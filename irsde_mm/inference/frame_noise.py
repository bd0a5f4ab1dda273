"""Noise of the frames of a clip."""
from typing import Dict, Optional, Sequence, Tuple, Union

import cv2
import numpy as np
import torch
from torch import Tensor

from ..errors import ConfigError
from .image_pipeline import check_seed
from .noise import image_generators
from .pipeline import RestorationPipeline

KINDS = ('shared', 'flow', 'frame')
#: Longest side in pixels at which the optical flow is estimated, and shortest
#: side that OpenCV's method takes.
FLOW_SIDE, MIN_FLOW_SIDE = 512, 32

Source = Union[torch.Generator, 'MovedNoise']


class MovedNoise:
    """Source of noise for one image: a noise field, moved with the picture.

    The field wraps around at its borders, and every value is used once: the
    moved noise is a permutation of the field, so it is as white.

    Args:
        generator (torch.Generator): Draws the fields.
        origin (ndarray): (H, W, 2) float32, where in the first frame each
            pixel was, as (x, y) in pixels.
    """

    def __init__(self, generator: torch.Generator,
                 origin: np.ndarray) -> None:
        self.generator, self.origin = generator, origin
        self.orders: Dict[Tuple[int, int], Tensor] = {}

    def draw(self, like: Tensor) -> Tensor:
        """Return noise with the shape (C, h, w), dtype and device of a
        tensor; see :func:`draw_noise`."""
        size = tuple(like.shape[-2:])
        if size not in self.orders:
            self.orders[size] = torch.from_numpy(
                permutation(self.origin, size)).to(self.generator.device)
        field = torch.empty(like.shape, dtype=like.dtype,
                            device=self.generator.device)
        field.normal_(generator=self.generator)
        return field.flatten(-2)[..., self.orders[size]].view_as(
            field).to(like.device)


def identity(height: int, width: int) -> np.ndarray:
    """Return the coordinates (x, y) of each pixel, (H, W, 2) float32."""
    return np.stack(np.meshgrid(np.arange(width), np.arange(height)),
                    axis=-1).astype(np.float32)


def permutation(origin: np.ndarray, size: Tuple[int, int]) -> np.ndarray:
    """Return the cell of the noise field that each pixel gets.

    Each pixel gets the cell nearest to its origin. If several have the same,
    the others get the cells that remain.

    Args:
        origin (ndarray): See :class:`MovedNoise`.
        size (tuple[int, int]): Height and width of the field, which may be
            larger (super-resolution) or smaller (latents) than the picture.

    Returns:
        ndarray: (h * w,) int64, each of 0 to h * w - 1 once.
    """
    (h, w), (height, width) = size, origin.shape[:2]
    if size != (height, width):
        shift = cv2.resize(origin - identity(height, width), (w, h))
        scale = np.array([w / width, h / height], np.float32)
        origin = identity(h, w) + shift * scale
    cells = np.floor(origin + 0.5).astype(np.int64) % (w, h)
    taken, pixels = np.unique(cells[..., 1] * w + cells[..., 0],
                              return_index=True)
    order = np.full(h * w, -1)
    order[pixels] = taken
    order[order < 0] = np.setdiff1d(np.arange(h * w), taken, True)
    return order


class Motion:
    """Where in the first frame each pixel of the current frame was.

    Attributes:
        origin (ndarray): (H, W, 2) float32, see :class:`MovedNoise`.
    """

    def __init__(self) -> None:
        self.origin = self.grey = np.empty(0)

    def follow(self, frame: np.ndarray) -> None:
        """Go on to the next frame, (H, W, C) uint8."""
        h, w = frame.shape[:2]
        scale = min(1., FLOW_SIDE / max(h, w))
        grey = frame[..., 0] if frame.shape[2] == 1 else cv2.cvtColor(
            frame, cv2.COLOR_BGR2GRAY)
        grey = cv2.resize(grey, None, fx=scale, fy=scale,
                          interpolation=cv2.INTER_AREA)
        grid = identity(h, w)
        if not self.grey.size:
            self.origin = grid
        else:
            small = optical_flow(grey, self.grey)
            before = grid + cv2.resize(small, (w, h)) * np.array(
                [w / grey.shape[1], h / grey.shape[0]], np.float32)
            shift = cv2.remap(self.origin - grid, before, None,
                              cv2.INTER_LINEAR,
                              borderMode=cv2.BORDER_REPLICATE)
            self.origin = before + shift
        self.grey = grey


def optical_flow(image: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return for each pixel of an image (h, w) uint8 how far away, as (x, y)
    in pixels, its content is in another; (h, w, 2) float32."""
    h, w = image.shape
    padding = (0, max(MIN_FLOW_SIDE - h, 0), 0, max(MIN_FLOW_SIDE - w, 0))
    image, other = (cv2.copyMakeBorder(x, *padding, cv2.BORDER_REPLICATE)
                    for x in (image, other))
    method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return method.calc(image, other, None)[:h, :w]


class FrameNoise:
    """Noise of the frames of a clip.

    Args:
        pipeline (RestorationPipeline): The model.
        kind (str): 'shared', the same noise for all frames; 'flow', the same
            noise moved with the picture by optical flow; 'frame', independent
            noise for each frame, as for photos.
        name (str): Name of the clip.
        seed (int, optional): Seed of the noise; by default derived from the
            model's seed and the name.

    Raises:
        ConfigError: If the kind or the seed is invalid.
    """

    def __init__(self, pipeline: RestorationPipeline, kind: str, name: str,
                 seed: Optional[int] = None) -> None:
        check_seed(seed)
        if kind not in KINDS:
            raise ConfigError(f'noise={kind!r} must be one of '
                              f'{", ".join(KINDS)}.')
        self.pipeline, self.kind = pipeline, kind
        self.name, self.seed = name, seed
        self.motion = Motion() if kind == 'flow' else None

    def source(self, frame: np.ndarray, name: str) -> Source:
        """Return the noise of the next frame.

        Call it for all frames in order, including those that are not
        restored, because the motion adds up.

        Args:
            frame (ndarray): The degraded frame (H, W, C) uint8.
            name (str): Name of the frame.
        """
        pipe = self.pipeline
        if self.kind == 'frame':
            seed = pipe.seed if self.seed is None else self.seed
            return image_generators([name], seed, pipe.device)[0]
        generator, = pipe.generators(1, [self.name], self.seed)
        if self.motion is None:
            return generator
        self.motion.follow(frame)
        return MovedNoise(generator, self.motion.origin)


def restore_frames(pipeline: RestorationPipeline,
                   frames: Sequence[np.ndarray], sources: Sequence[Source],
                   **options) -> list:
    """Restore frames of the same size, each with a given noise.

    Args:
        pipeline (RestorationPipeline): The model.
        frames: (H, W, C) uint8 BGR.
        sources: Noise of each, from :meth:`FrameNoise.source`.
        **options: Options of :meth:`RestorationPipeline.restore`.

    Returns:
        list[ndarray]: Restored frames, (H, W, C) uint8 BGR.
    """
    pipeline.check_batch(frames)
    inputs, sizes = pipeline.as_inputs(frames)
    return pipeline.as_arrays(pipeline.restore(
        inputs, sizes=sizes, generators=list(sources), **options), sizes)
