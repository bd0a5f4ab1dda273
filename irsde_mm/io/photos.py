"""Finding, reading and writing photos."""
import glob
import os
import tempfile
import warnings
from pathlib import Path, PurePath
from typing import BinaryIO, Callable, Iterable, List, Optional

import numpy as np
from PIL import Image

from ..errors import DataError, ImageError, OutputError
from .image_files import is_image, is_match, list_images
from .reader import MAX_PIXELS, File, Warn, read_image


def read_photo(path: File, channels: int = 3,
               max_pixels: int = MAX_PIXELS, white: Optional[int] = None,
               warn: Warn = warnings.warn) -> np.ndarray:
    """Read a photo as (H, W, channels) uint8, turned upright.

    Args:
        path (str | Path | StoredPhoto): The file, see :func:`read_image`.
        channels (int): 3 for BGR (a gray photo gets three equal channels), 1
            for gray.
        max_pixels (int): Files that declare more pixels are rejected.
        white, warn: See :func:`read_image`.

    Raises:
        ImageError: If the photo cannot be used, or if it is in color and
            ``channels`` is 1.
    """
    pixels = read_image(path, max_pixels=max_pixels, white=white, warn=warn)
    return fit_channels(pixels, channels, repr(str(path)))


def fit_channels(pixels: np.ndarray, channels: int, name: str) -> np.ndarray:
    """Convert (H, W, 3) uint8 to the channels of a model, 1 or 3.

    Raises:
        ImageError: If the image is in color and the model has one channel.
    """
    if channels == 1:
        if (pixels != pixels[..., :1]).any():
            raise ImageError(f'{name} is in color, but the model '
                             'restores grayscale images only.')
        pixels = pixels[..., :1]
    return np.ascontiguousarray(pixels)


def to_picture(image: np.ndarray) -> Image.Image:
    """Convert (H, W, 3) uint8 BGR, or (H, W, 1), to a PIL image."""
    pixels = image[..., 0] if image.shape[2] == 1 else image[..., ::-1]
    return Image.fromarray(np.ascontiguousarray(pixels))


def save_image(file: BinaryIO, image: np.ndarray, extension: str = '.png',
               **options) -> None:
    """Write (H, W, 3) uint8 BGR, or (H, W, 1), to an opened file.

    Args:
        file (BinaryIO): The file.
        image (ndarray): The pixels.
        extension (str): Extension that determines the format.
        **options: Options of ``Image.save``, such as metadata.
    """
    to_picture(image).save(
        file, format=Image.registered_extensions()[extension], **options)


def write_image(path: Path, image: np.ndarray, **options) -> None:
    """Write (H, W, 3) uint8 BGR, or (H, W, 1), to a new file.

    Args:
        path (Path): The file; the extension determines the format.
        image (ndarray): The pixels.
        **options: Options of ``Image.save``, such as metadata.

    Raises:
        OutputError: If the file exists or cannot be written.
    """
    try:
        with open(path, 'xb') as file:
            save_image(file, image, path.suffix, **options)
    except FileExistsError:
        raise OutputError(f"'{path}' already exists and is not overwritten."
                          ) from None
    except OSError as error:
        raise OutputError(f"cannot write '{path}': {error.strerror or error}."
                          ) from error


def find_images(inputs: Iterable[str]) -> List[Path]:
    """Find images from files, folders and patterns such as '*.jpg'.

    ``**`` does not follow links to folders, because they can form cycles.

    Raises:
        DataError: If an input matches no image.
    """
    found: List[Path] = []
    for name in map(str, inputs):
        path = Path(name)
        if os.path.isdir(path):
            found += in_folder(path)
        elif os.path.lexists(path):  # the reader reports unusable files
            found.append(path)
        else:
            found += matching(path)
    return list(dict.fromkeys(found))


def in_folder(folder: Path) -> List[Path]:
    """List the images directly in a folder, sorted.

    Warns if subfolders contain images.

    Raises:
        DataError: If no images are found.
    """
    pattern = Path(glob.escape(str(folder)), '**', '*')
    hint = f"use '{pattern}' to include the images in its subfolders"
    try:
        found = list_images(folder)
    except DataError as error:
        raise DataError(f"{str(error).rstrip('.')}; {hint}."
                        if subfolders(folder) else str(error)) from None
    full = [path for path in subfolders(folder) if holds_images(path)]
    if full:
        warnings.warn(f"skipping {len(full)} subfolder(s) of images in "
                      f"'{folder}', such as '{full[0]}'; {hint}.",
                      stacklevel=1)
    return found


def subfolders(folder: Path) -> List[Path]:
    """List the subfolders of a folder, sorted, without hidden ones."""
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


def matching(pattern: Path,
             accept: Callable[[PurePath], bool] = is_image) -> List[Path]:
    """List the images, or other accepted files, that match a pattern, sorted.

    Raises:
        DataError: If no images are found.
    """
    inside = pattern.relative_to(pattern.anchor)
    try:
        found = sorted(
            path for path in Path(pattern.anchor).glob(str(inside))
            if is_match(path, pattern, accept))
    except (ValueError, OSError):  # '**' within a name; no permission
        found = []
    if not found:
        raise DataError(f'no image found at {str(pattern)!r}.')
    return found


def prepare_folder(path: str) -> Path:
    """Create an output folder if needed and check that it is writable.

    Raises:
        OutputError: If it cannot be created or written to.
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
