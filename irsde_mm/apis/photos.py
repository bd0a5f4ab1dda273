"""What a caller may name as photos, as photos of one kind."""
from dataclasses import dataclass
from pathlib import Path
from typing import Any, List, Optional, Tuple, Union

import numpy as np
from PIL import Image

from ..datasets.image_reader import image_size, picture_pixels
from ..errors import DataError, ImageError
from .images import find_images, fit_channels, read_photo
from .metadata import read_metadata

Source = Union[Path, np.ndarray, Image.Image]


@dataclass
class Photo:
    """One image to restore.

    Attributes:
        name (str): Its path, or 'image_N' for the Nth image without one.
        source (Path | ndarray | Image): What it is read from.
        size (tuple[int, int]): Height and width, upright.
        error (ImageError, optional): Why it cannot be used.
    """
    name: str
    source: Source
    size: Tuple[int, int] = (0, 0)
    error: Optional[ImageError] = None

    @property
    def stem(self) -> str:
        """The name of its results, without an ending."""
        return Path(self.name).stem

    def load(self, channels: int, max_pixels: int) -> np.ndarray:
        """Pixels (H, W, channels) uint8 BGR.

        Raises:
            ImageError: If it is of no use, or has colours for a grey model.
        """
        if isinstance(self.source, Path):
            return read_photo(self.source, channels, max_pixels)
        if isinstance(self.source, Image.Image):
            return fit_channels(picture_pixels(self.source, max_pixels),
                                channels, 'the PIL image')
        return check_array(self.source, channels)

    def metadata(self, channels: int) -> dict:
        """What its results keep beside pixels, see :func:`read_metadata`."""
        return {} if isinstance(self.source, np.ndarray) else read_metadata(
            self.source, channels)


def check_array(image: np.ndarray, channels: int) -> np.ndarray:
    """The array, if it is an image for a model of 1 or 3 channels.

    Raises:
        ImageError: If it is not.
    """
    if (image.ndim != 3 or image.dtype != np.uint8 or image.size == 0
            or image.shape[2] != channels):
        raise ImageError(f'an image array must be (height, width, {channels}) '
                         f'of uint8, but is {image.shape} of {image.dtype}.')
    return image


def list_sources(inputs: Any) -> List[Source]:
    """Files, arrays and pictures that inputs lead to, in their order.

    Args:
        inputs: A path, folder or pattern, an array, a PIL image, or a list of
            these. A file that is named twice counts once.

    Raises:
        DataError: If there is nothing, something else, or a name that leads
            to no image.
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
            raise DataError('an image is a path, a folder, a pattern, an '
                            'array or a PIL image, and not '
                            f'{type(item).__name__}.')
    if not sources:
        raise DataError('there is no image to restore: the list is empty.')
    return sources


def open_photo(source: Source, number: int, channels: int,
               max_pixels: int) -> Photo:
    """A photo with its size, or what is wrong with it.

    Args:
        source (Path | ndarray | Image): As in :func:`list_sources`.
        number (int): Its place among all, from 1.
        channels (int): What the model restores, 1 or 3.
        max_pixels (int): What has more is refused.
    """
    if isinstance(source, Path):
        photo = Photo(str(source), source)
    else:
        photo = Photo(f'image_{number}', source)
    try:
        if isinstance(source, Path):
            photo.size = image_size(source, max_pixels)[::-1]
        else:
            photo.size = photo.load(channels, max_pixels).shape[:2]
    except ImageError as error:
        photo.error = error
    return photo
