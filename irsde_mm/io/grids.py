"""Images beside each other with a line of text above, pixel for pixel.

The order of colours is the caller's: text is black and white.
"""
from typing import Sequence, Tuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

GAP = 4  # pixels between images
TEXT = 12  # height of letters


def to_rgb(image: Tensor) -> np.ndarray:
    """(C, H, W) BGR or grey in 0..255 -> (H, W, 3) RGB uint8."""
    pixels = image.detach().cpu().float().round().clamp(0, 255).byte()
    return pixels.expand(3, -1, -1).permute(1, 2, 0).numpy()[..., ::-1]


def at_most(image: np.ndarray, side: int) -> np.ndarray:
    """An image made smaller where it is longer than a side in pixels.

    Args:
        image (ndarray): (H, W, 3) uint8.
        side (int): Longest side, at least 1.
    """
    h, w = image.shape[:2]
    if max(h, w) <= side:
        return image
    size = [max(round(n * side / max(h, w)), 1) for n in (w, h)]
    return np.asarray(Image.fromarray(np.ascontiguousarray(image)).resize(
        size, Image.Resampling.LANCZOS))


def draw_grid(rows: Sequence[Sequence[np.ndarray]],
              captions: Sequence[str] = ()) -> np.ndarray:
    """Images in rows and columns on white.

    Args:
        rows: Each with as many images (H, W, 3) uint8, of any sizes; a row is
            as high, and a column as wide, as its largest image.
        captions: A text for each column, above the first row. One that is
            wider than its column makes the column wider.

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
    """At most ``number`` of the items, the first and the last among them, at
    even distances."""
    if len(items) <= number:
        return list(items)
    places = np.linspace(0, len(items) - 1, number).round().astype(int)
    return [items[i] for i in places]


def draw_strip(states: Sequence[Tuple[float, np.ndarray]],
               number: int = 6) -> np.ndarray:
    """States of an image on its way back, beside each other.

    Args:
        states: Pairs of a time and an image (H, W, 3) uint8, from x_T to x_0.
        number (int): How many are drawn, at least 2.

    Returns:
        ndarray: (H, W, 3) uint8.
    """
    chosen = spread_out(states, number)
    return draw_grid([[image for _, image in chosen]],
                     [f't = {t:.4g}' for t, _ in chosen])
