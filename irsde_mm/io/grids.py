"""Grids of images with captions, drawn without resampling.

Any channel order works, since the captions are black on white.
"""
from typing import TYPE_CHECKING, Sequence, Tuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:  # torch takes long to import
    from torch import Tensor

GAP = 4  # pixels between images
TEXT = 12  # font size in pixels


def to_rgb(image: 'Tensor') -> np.ndarray:
    """Convert (C, H, W) BGR or gray in 0..255 to (H, W, 3) RGB uint8."""
    pixels = image.detach().cpu().float().round().clamp(0, 255).byte()
    return pixels.expand(3, -1, -1).permute(1, 2, 0).numpy()[..., ::-1]


def at_most(image: np.ndarray, side: int) -> np.ndarray:
    """Shrink an image whose longer side exceeds a limit.

    Args:
        image (ndarray): (H, W, 3) uint8.
        side (int): Maximum of height and width, at least 1.
    """
    h, w = image.shape[:2]
    if max(h, w) <= side:
        return image
    size = [max(round(n * side / max(h, w)), 1) for n in (w, h)]
    return np.asarray(Image.fromarray(np.ascontiguousarray(image)).resize(
        size, Image.Resampling.LANCZOS))


def draw_grid(rows: Sequence[Sequence[np.ndarray]],
              captions: Sequence[str] = ()) -> np.ndarray:
    """Draw images in rows and columns on a white background.

    Args:
        rows: Rows with the same number of images (H, W, 3) uint8, of any
            size. A row is as high, and a column as wide, as its largest
            image.
        captions: A caption for each column, above the first row. A caption
            wider than its column widens the column.

    Returns:
        ndarray: (H, W, 3) uint8.
    """
    font = ImageFont.load_default(TEXT)
    widths = [max(image.shape[1] for image in column)
              for column in zip(*rows)]
    for i, text in enumerate(captions):
        widths[i] = max(widths[i], int(font.getlength(text)) + 1)
    heights = [max(image.shape[0] for image in row) for row in rows]
    top = TEXT + 2 * GAP if captions else GAP
    canvas = Image.new('RGB', (
        sum(widths) + GAP * (len(widths) + 1),
        top + sum(heights) + GAP * len(heights)), 'white')
    draw, x = ImageDraw.Draw(canvas), GAP
    for i, width in enumerate(widths):
        if captions:
            draw.text((x, GAP // 2), captions[i], 'black', font)
        y = top
        for row, height in zip(rows, heights):
            canvas.paste(Image.fromarray(np.ascontiguousarray(row[i])),
                         (x, y))
            y += height + GAP
        x += width + GAP
    return np.asarray(canvas)


def spread_out(items: Sequence, number: int) -> list:
    """Select at most ``number`` evenly spaced items, including both ends."""
    if len(items) <= number:
        return list(items)
    places = np.linspace(0, len(items) - 1, number).round().astype(int)
    return [items[i] for i in places]


def draw_strip(states: Sequence[Tuple[float, np.ndarray]],
               number: int = 6) -> np.ndarray:
    """Draw states of a sampling trajectory side by side.

    Args:
        states: Pairs of a time and an image (H, W, 3) uint8, from x_T to x_0.
        number (int): Maximum number of states to draw, at least 2.

    Returns:
        ndarray: (H, W, 3) uint8.
    """
    chosen = spread_out(states, number)
    return draw_grid([[image for _, image in chosen]],
                     [f't = {t:.4g}' for t, _ in chosen])
