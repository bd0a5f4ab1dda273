"""Visualizations of a restoration."""
from pathlib import Path
from typing import Callable, Optional, Sequence, Tuple

import cv2
import numpy as np

from ..io.grids import at_most, draw_grid, draw_strip
from ..io.photos import to_picture, write_image
from .results import Restoration

SIDE = 480  # maximum side of a state drawn with others, in pixels
MILLISECONDS = 250  # duration of a frame of an animation


def in_colour(image: np.ndarray) -> np.ndarray:
    """Convert (H, W, 1) or (H, W, 3) to (H, W, 3)."""
    return image.repeat(3, axis=2) if image.shape[2] == 1 else image


def draw_result(kind: str, degraded: Callable[[], np.ndarray],
                result: Restoration) -> np.ndarray:
    """Draw one visualization of a result.

    Args:
        kind (str): 'compare', degraded and restored side by side; 'states', a
            strip of the states; 'spread', a heat map of the spread; 'lower',
            'upper' and 'width', the intervals in gray levels.
        degraded (callable): Returns the degraded image, (H, W, C) uint8 BGR.
        result (Restoration): The result, with the data to draw.

    Returns:
        ndarray: (h, w, 3) uint8 BGR; intervals have the shape of the result.
    """
    return dict(compare=lambda: draw_comparison(degraded(), result.image),
                states=lambda: draw_states(result.states),
                spread=lambda: draw_spread(result.spread),
                lower=lambda: result.lower, upper=lambda: result.upper,
                width=lambda: result.upper - result.lower)[kind]()


def draw_comparison(degraded: np.ndarray, restored: np.ndarray) -> np.ndarray:
    """Draw degraded and restored side by side, (H, W, C) uint8 BGR.

    If the model upscales, the degraded image is enlarged by repeating its
    pixels.
    """
    if degraded.shape != restored.shape:
        scale = restored.shape[0] // degraded.shape[0]
        degraded = degraded.repeat(scale, axis=0).repeat(scale, axis=1)
    return draw_grid([[in_colour(degraded), in_colour(restored)]],
                     ['degraded', 'restored'])


def draw_states(states: Sequence[Tuple[float, np.ndarray]]) -> np.ndarray:
    """Draw the states of a restoration side by side, each with its time.

    Args:
        states: Pairs of a time and an image (H, W, C) uint8 BGR.

    Returns:
        ndarray: (h, w, 3) uint8 BGR; large states are downscaled.
    """
    return draw_strip([(t, at_most(in_colour(image), SIDE))
                       for t, image in states], len(states))


def heat_map(spread: np.ndarray, top: Optional[float] = None) -> np.ndarray:
    """Map a spread to colors, dark where it is 0.

    Args:
        spread (ndarray): (H, W), at least 0.
        top (float, optional): Value of the brightest color, by default the
            maximum.

    Returns:
        ndarray: (H, W, 3) uint8 BGR.
    """
    top = top or float(spread.max()) or 1.
    grey = np.rint(255 * np.clip(spread / top, 0, 1)).astype(np.uint8)
    return cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO)


def draw_spread(spread: np.ndarray,
                title: str = 'standard deviation') -> np.ndarray:
    """Draw a :func:`heat_map` with a color bar.

    The color bar ends at the 99.5th percentile of the pixels.

    Args:
        spread (ndarray): (H, W) in units of 0..255.
        title (str): What it is.

    Returns:
        ndarray: (h, w, 3) uint8 BGR.
    """
    # a few outliers must not darken the rest
    top = float(np.percentile(spread, 99.5)) or float(spread.max()) or 1.
    heights = np.linspace(1, 0, max(spread.shape[0], 64))
    scale = heat_map(np.repeat(heights[:, None], 24, axis=1), 1.)
    return draw_grid([[heat_map(spread, top), scale]],
                     [title, f'0 to {top:.3g} of 255'])


def write_animation(path: Path, images: Sequence[np.ndarray]) -> None:
    """Write images (H, W, C) uint8 BGR as an animation to a new GIF file.

    Large images are downscaled, and the last frame is shown longer.

    Raises:
        OutputError: As for :func:`write_image`.
    """
    images = [at_most(in_colour(image), SIDE) for image in images]
    times = [MILLISECONDS] * (len(images) - 1) + [6 * MILLISECONDS]
    write_image(path, images[0], save_all=True, loop=0, duration=times,
                append_images=[to_picture(image) for image in images[1:]])
