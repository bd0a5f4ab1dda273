"""Inputs of the inferencer: files, arrays and PIL images."""
import os
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, List, Optional, Sequence, Set, Tuple, Union

import numpy as np
from PIL import Image

from ..errors import DataError, ImageError
from ..io.metadata import read_metadata
from ..io.photos import find_images, fit_channels, read_photo
from ..io.reader import image_size, picture_pixels
from ..io.stored import StoredPhoto

Source = Union[Path, StoredPhoto, np.ndarray, Image.Image]
#: Sources with a name.
FILES = (Path, StoredPhoto)


@dataclass
class Photo:
    """Image to restore.

    Attributes:
        name (str): Path, or 'image_N' for the Nth image without one.
        source (Path | StoredPhoto | ndarray | Image): Source of the pixels.
        size (tuple[int, int]): Height and width, upright.
        error (ImageError, optional): Reason why the image cannot be used.
        warned (set[str]): Warnings already issued, as a photo may be read
            several times.
        stem (str): Name of the results without extension, including the
            folders that :func:`keep_folders` adds.
    """
    name: str
    source: Source
    size: Tuple[int, int] = (0, 0)
    error: Optional[ImageError] = None
    stem: str = ''
    warned: Set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.stem = self.stem or Path(self.name).stem

    def load(self, channels: int, max_pixels: int,
             white: Optional[int] = None) -> np.ndarray:
        """Load the pixels as (H, W, channels) uint8 BGR.

        Args:
            channels (int): Channels of the model, 1 or 3.
            max_pixels (int): Larger images are rejected.
            white (int, optional): See :func:`read_image`.

        Raises:
            ImageError: If the image cannot be used, or if it is in color and
                the model has one channel.
        """
        if isinstance(self.source, FILES):
            return read_photo(self.source, channels, max_pixels, white,
                              self._warn)
        if isinstance(self.source, Image.Image):
            return fit_channels(
                picture_pixels(self.source, max_pixels, white, self._warn),
                channels, 'the PIL image')
        return check_array(self.source, channels)

    def _warn(self, text: str) -> None:
        if text not in self.warned:
            self.warned.add(text)
            warnings.warn(text, stacklevel=2)

    def metadata(self, channels: int) -> dict:
        """Return the metadata for the results, see :func:`read_metadata`."""
        return {} if isinstance(self.source, np.ndarray) else read_metadata(
            self.source, channels)


def with_name(error: DataError, name: str) -> ImageError:
    """Return an error whose message contains the name of the image."""
    text = str(error)
    named = repr(name)[1:-1] in text
    return ImageError(text if named else f'{name!r}: {text}')


def check_array(image: np.ndarray, channels: int) -> np.ndarray:
    """Check that an array is an image with the channels of the model.

    Raises:
        ImageError: If it is not.
    """
    if (image.ndim != 3 or image.dtype != np.uint8 or image.size == 0
            or image.shape[2] != channels):
        raise ImageError(f'expected an array (height, width, {channels}) of '
                         f'uint8, but got {image.shape} of {image.dtype}.')
    return image


def list_sources(inputs: Any) -> List[Source]:
    """List the files, arrays and PIL images of the inputs in order.

    Args:
        inputs: A path, folder or pattern, an array, a PIL image, or a list of
            these. Repeated files are listed once.

    Raises:
        DataError: If the list is empty, an input has an unsupported type, or
            a name matches no image.
    """
    items = inputs if isinstance(inputs, (list, tuple)) else [inputs]
    sources: List[Source] = []
    for item in items:
        if isinstance(item, (str, Path)):
            known = {s for s in sources if isinstance(s, Path)}
            sources += [path for path in find_images([item])
                        if path not in known]
        elif isinstance(item, (np.ndarray, Image.Image)):
            sources.append(item)
        else:
            raise DataError('expected a path, a folder, a pattern, an array '
                            'or a PIL image, but got '
                            f'{type(item).__name__}.')
    if not sources:
        raise DataError('no image to restore: the list is empty.')
    return sources


def single(sources: List[Source]) -> List[Source]:
    """Check that there is a single source.

    Raises:
        DataError: If there are several.
    """
    if len(sources) > 1:
        raise DataError('each end of an interpolation must be one image, but '
                        f'got {len(sources)}.')
    return sources


def open_photo(source: Source, number: int, channels: int, max_pixels: int,
               white: Optional[int] = None) -> Photo:
    """Open a photo to determine its size, or the error that prevents it.

    Args:
        source (Path | ndarray | Image): As in :func:`list_sources`.
        number (int): Index among all sources, from 1.
        channels (int): Channels of the model, 1 or 3.
        max_pixels (int): Larger images are rejected.
        white (int, optional): See :func:`read_image`.

    Returns:
        Photo: With ``size`` or ``error``.
    """
    if isinstance(source, FILES):
        photo = Photo(str(source), source)
    else:
        photo = Photo(f'image_{number}', source)
    try:
        if isinstance(source, FILES):
            photo.size = image_size(source, max_pixels)[::-1]
        else:
            photo.size = photo.load(channels, max_pixels, white).shape[:2]
    except ImageError as error:
        photo.error = error
    return photo


def keep_folders(photos: Sequence[Photo]) -> None:
    """Keep the folder structure of the photos for their results.

    The stems become paths below the common parent folder of the photos, such
    as ``GOPR0384_11_00/blur/000001``.
    """
    files = {id(photo): Path(os.path.abspath(photo.source))
             for photo in photos if isinstance(photo.source, Path)}
    root = os.path.commonpath([path.parent for path in files.values()])
    for photo in photos:
        if id(photo) in files:
            photo.stem = str(
                files[id(photo)].relative_to(root).with_suffix(''))
