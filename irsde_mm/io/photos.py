"""Photos in, photos out."""
import glob
import os
import tempfile
import warnings
from pathlib import Path
from typing import Iterable, List, Optional, Union

import numpy as np
from PIL import Image

from ..errors import DataError, ImageError, OutputError
from .image_files import is_match, list_images
from .reader import MAX_PIXELS, Warn, read_image


def read_photo(path: Union[str, Path], channels: int = 3,
               max_pixels: int = MAX_PIXELS, white: Optional[int] = None,
               warn: Warn = warnings.warn) -> np.ndarray:
    """A photo as (H, W, channels) uint8, turned upright.

    Args:
        path (str | Path): The file, see :func:`read_image`.
        channels (int): 3 for BGR (a grey photo gets three equal ones), 1 for
            grey.
        max_pixels (int): What declares more is refused.
        white, warn: See :func:`read_image`.

    Raises:
        ImageError: If it cannot be used, or has colours for a grey model.
    """
    pixels = read_image(path, max_pixels=max_pixels, white=white, warn=warn)
    return fit_channels(pixels, channels, repr(str(path)))


def fit_channels(pixels: np.ndarray, channels: int, name: str) -> np.ndarray:
    """(H, W, 3) uint8 as a model of 1 or 3 channels takes it.

    Raises:
        ImageError: If it has colours, but the model is one for grey images.
    """
    if channels == 1:
        if (pixels != pixels[..., :1]).any():
            raise ImageError(f'{name} is in colour, but the model '
                             'restores grey images.')
        pixels = pixels[..., :1]
    return np.ascontiguousarray(pixels)


def to_picture(image: np.ndarray) -> Image.Image:
    """(H, W, 3) uint8 BGR, or (H, W, 1), as a picture of PIL's."""
    pixels = image[..., 0] if image.shape[2] == 1 else image[..., ::-1]
    return Image.fromarray(np.ascontiguousarray(pixels))


def write_image(path: Path, image: np.ndarray, **options) -> None:
    """Writes (H, W, 3) uint8 BGR, or (H, W, 1), to a file not yet there.

    Args:
        path (Path): The file; its ending says the format.
        image (ndarray): The pixels.
        **options: What ``Image.save`` takes, such as metadata.

    Raises:
        OutputError: If it exists or cannot be written.
    """
    picture = to_picture(image)
    kind = Image.registered_extensions()[path.suffix]
    try:
        with open(path, 'xb') as file:
            picture.save(file, format=kind, **options)
    except FileExistsError:
        raise OutputError(f"'{path}' exists and is not overwritten.") from None
    except OSError as error:
        raise OutputError(f"cannot write '{path}': {error.strerror or error}."
                          ) from error


def find_images(inputs: Iterable[str]) -> List[Path]:
    """Images named one by one, by folder or by a pattern such as '*.jpg'.

    Of ``**`` links to folders are not followed: they can run in circles.

    Raises:
        DataError: If one of them leads to no image.
    """
    found: List[Path] = []
    for name in map(str, inputs):
        path = Path(name)
        if os.path.isdir(path):
            found += in_folder(path)
        elif os.path.lexists(path):  # the reader says what is wrong with it
            found.append(path)
        else:
            found += matching(path)
    return list(dict.fromkeys(found))


def in_folder(folder: Path) -> List[Path]:
    """The images directly in a folder, sorted; warns of those further down.

    Raises:
        DataError: If nothing is found.
    """
    pattern = Path(glob.escape(str(folder)), '**', '*')
    hint = f"'{pattern}' also takes the images in its folders"
    try:
        found = list_images(folder)
    except DataError as error:
        raise DataError(f'{error} {hint}.' if subfolders(folder)
                        else str(error)) from None
    full = [path for path in subfolders(folder) if holds_images(path)]
    if full:
        warnings.warn(f"{len(full)} folder(s) of images in '{folder}' are "
                      f"left out, such as '{full[0]}'; {hint}.", stacklevel=1)
    return found


def subfolders(folder: Path) -> List[Path]:
    """The folders in a folder, sorted, less hidden ones."""
    try:
        return sorted(path for path in folder.iterdir()
                      if path.is_dir() and not path.name.startswith('.'))
    except OSError:
        return []


def holds_images(folder: Path) -> bool:
    try:
        return bool(list_images(folder))
    except DataError:
        return False


def matching(pattern: Path) -> List[Path]:
    """The images of a pattern, sorted.

    Raises:
        DataError: If nothing is found.
    """
    inside = pattern.relative_to(pattern.anchor)
    try:
        found = sorted(
            path for path in Path(pattern.anchor).glob(str(inside))
            if is_match(path, pattern))
    except (ValueError, OSError):  # '**' beside other letters; no access
        found = []
    if not found:
        raise DataError(f'there is no image {str(pattern)!r}.')
    return found


def prepare_folder(path: str) -> Path:
    """An output folder, made if need be and proved to be writable.

    Raises:
        OutputError: If it cannot be.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(f"cannot write to the folder '{folder}': "
                          f'{error.strerror or error}.') from error
    return folder
