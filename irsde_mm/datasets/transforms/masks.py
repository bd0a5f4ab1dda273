"""Masks of missing regions, from a folder or generated."""
import string
from pathlib import Path
from typing import Optional, Sequence, Tuple, Union

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ...errors import DataError
from ...io.image_files import list_images
from ...io.masks import read_mask
from ...registry import TRANSFORMS
from .degradation import Degradation

KINDS = ('thin', 'thick', 'box', 'half', 'text')
LETTERS = list(string.ascii_letters + string.digits)


@TRANSFORMS.register_module()
class KeepMask(Degradation):
    """Mask that paints holes: ``mask * x0 + (1 - mask) * color``.

    Masks are keep-masks as published: white is kept, black is a hole. Masks
    from a folder are chosen at random in training, and in order in testing
    (``fixed``): mask i for image i. Generated masks are random or fixed by the
    image's name. If masks come from a folder, apply this transform to the
    whole image before any crop.

    Args:
        folder (str, optional): Folder of masks with the images' size, pure
            black and white.
        kinds (Sequence[str]): Kinds of masks to generate if there is no
            folder: 'thin' or 'thick' strokes, 'box', 'half', 'text'.
        color: White by default, as published. Another gray level (0..255),
            a color (blue, green, red), or 'random' for a random one.
        fixed, seed: See :class:`Degradation`.
        hint (str): How to obtain the folder. Shown if it is missing.

    Raises:
        ValueError: If a kind is unknown or a color is invalid.
        DataError: If the folder has no masks, or a mask has gray values or
            not the size of its image.
    """

    def __init__(self, folder: Optional[str] = None,
                 kinds: Sequence[str] = ('thin', ),
                 color: Union[float, Sequence[float], str] = 255,
                 fixed: bool = False, seed: int = 0, hint: str = '') -> None:
        super().__init__(fixed, seed)
        unknown = [kind for kind in kinds if kind not in KINDS]
        if unknown or not kinds:
            raise ValueError(f'KeepMask: supported kinds are '
                             f'{", ".join(KINDS)}, but got {list(kinds)}.')
        values = np.ravel(color)
        if color != 'random' and not (
                values.dtype.kind in 'iuf' and values.size in (1, 3)
                and values.min() >= 0 and values.max() <= 255):
            raise ValueError("KeepMask: color must be 'random', or one or "
                             f'three values in 0..255, but got {color!r}.')
        self.kinds, self.color = tuple(kinds), color
        self.white = set(values) == {255}
        try:
            self.files = None if folder is None else list_images(Path(folder))
        except DataError as error:
            raise DataError(f'{error} Expected masks, white where the image '
                            f'is kept. {hint}') from None

    def degrade(self, image: np.ndarray, rng: np.random.Generator,
                results: dict) -> np.ndarray:
        if self.files is None:
            kind = self.kinds[rng.integers(len(self.kinds))]
            keep = generate(kind, image.shape[:2], rng)
        else:
            index = (results['sample_idx'] if self.fixed
                     else rng.integers(len(self.files)))
            keep = read_fitting(self.files[index % len(self.files)],
                                image.shape[:2], results.get('gt_path'))
        return np.where(keep[..., None], image,
                        self._paint(image.shape[2], rng))

    def _paint(self, channels: int, rng: np.random.Generator) -> np.ndarray:
        """Return the color of the holes, (C, )."""
        if self.color == 'random':
            return rng.uniform(0, 255, channels).astype(np.float32)
        color = np.float32(self.color)
        if channels == 1 and color.size == 3:
            return color @ np.float32([[0.114], [0.587], [0.299]])
        return np.broadcast_to(color, channels)


def read_fitting(path: Path, size: Tuple[int, int],
                 image: Optional[str]) -> np.ndarray:
    """Read a mask, see :func:`read_mask`.

    Raises:
        DataError: If it is unreadable, has gray values or has another size.
    """
    mask = read_mask(path)
    if mask.shape != size:
        raise DataError(
            f"the mask '{path}' is {mask.shape[1]}x{mask.shape[0]}, but "
            f"'{image}' is {size[1]}x{size[0]}; the sizes must match.")
    return mask


def generate(kind: str, size: Tuple[int, int],
             rng: np.random.Generator) -> np.ndarray:
    """Generate a keep-mask of the given kind, booleans (H, W)."""
    if kind == 'text':
        return written(size, rng)
    if kind in ('thin', 'thick'):
        return strokes(kind, size, rng)
    h, w = size
    hole = np.zeros(size, np.uint8)
    if kind == 'half':
        half = slice(h // 2) if rng.random() < 0.5 else slice(h // 2, None)
        hole[half] = 1
        return (hole if rng.random() < 0.5 or h != w else hole.T) == 0
    bh, bw = (max(int(side * rng.uniform(0.25, 0.5)), 1) for side in size)
    top, left = rng.integers(h - bh + 1), rng.integers(w - bw + 1)
    hole[top:top + bh, left:left + bw] = 1
    return hole == 0


def strokes(kind: str, size: Tuple[int, int],
            rng: np.random.Generator) -> np.ndarray:
    """Return a keep-mask with 'thin' or 'thick' random strokes as holes."""
    h, w = size
    side, hole = min(size), np.zeros(size, np.uint8)
    width = (0.012, 0.03) if kind == 'thin' else (0.06, 0.12)
    # the number of strokes depends on the area, not on the aspect ratio
    count = max(round(h * w / side**2 * (8 if kind == 'thin' else 3)), 1)
    for _ in range(count):
        point = rng.uniform(0, 1, 2) * (w, h)
        angle = rng.uniform(0, 2 * np.pi)
        thickness = max(round(side * rng.uniform(*width)), 1)
        for _ in range(rng.integers(4, 10)):
            angle += rng.normal(0, 0.6)
            step = side * rng.uniform(0.05, 0.15)
            end = point + step * np.array([np.cos(angle), np.sin(angle)])
            cv2.line(hole, tuple(map(int, point)), tuple(map(int, end)), 1,
                     thickness)
            point = end
    return hole == 0


def written(size: Tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return a keep-mask with holes in the shape of random words."""
    h, w = size
    page = Image.new('L', (w, h))
    side = min(size)
    for _ in range(max(round(h * w / side**2 * rng.uniform(3, 8)), 1)):
        letters = rng.choice(LETTERS, rng.integers(4, 13))
        font = ImageFont.load_default(max(side * rng.uniform(0.05, 0.15), 4))
        left, top, right, bottom = map(int, font.getbbox(''.join(letters)))
        word = Image.new('L', (right - left, bottom - top))
        draw = ImageDraw.Draw(word)
        draw.fontmode = '1'
        draw.text((-left, -top), ''.join(letters), 255, font)
        word = word.rotate(rng.normal(0, 10), expand=True)
        # the center of the word is inside
        place = (rng.uniform(0, 1, 2) * size)[::-1] - np.array(word.size) / 2
        page.paste(255, tuple(map(round, place)), word)
    return np.asarray(page) == 0
