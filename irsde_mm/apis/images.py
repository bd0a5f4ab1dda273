"""Photos in, photos out."""
import glob
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterable, Iterator, List, Tuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ..datasets.image_files import EXTENSIONS, image_size, list_images
from ..errors import DataError, OutputError


@contextmanager
def _opened(path: str) -> Iterator[Image.Image]:
    """An image file that can be restored without loss.

    Raises:
        DataError: If it is missing, broken, or has what would be lost
            (transparency, 16 bits).
    """
    try:
        with Image.open(path) as image:
            if 'A' in image.getbands() or 'transparency' in image.info:
                raise DataError(f"'{path}' has transparency, which is not "
                                'restored; save it without.')
            if image.mode not in ('RGB', 'L', 'P', '1', 'CMYK', 'YCbCr'):
                raise DataError(f"'{path}' is of mode {image.mode}; save it "
                                'with 8 bits a channel.')
            yield image
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(f"there is no image '{path}'.") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError,
            Image.DecompressionBombError) as error:
        raise DataError(f"'{path}' is not a readable image "
                        f'({error}).') from None


def check_image(path: str) -> Tuple[int, int]:
    """Height and width of a photo, without decoding it.

    Raises:
        DataError: As :func:`read_image`, for all that can be seen from the
            header and the end of the file.
    """
    with _opened(path):
        width, height = image_size(Path(path))
    return height, width


def read_image(path: str, channels: int = 3) -> np.ndarray:
    """A photo as (H, W, channels) uint8, turned upright.

    Args:
        path (str): The file.
        channels (int): 3 for BGR (a grey photo gets three equal ones), 1 for
            grey.

    Raises:
        DataError: If it is missing, broken, or has what would be lost
            (transparency, 16 bits, colours for a grey model).
    """
    with _opened(path) as image:
        if channels == 1 and image.mode not in ('L', '1'):
            raise DataError(f"'{path}' is in colour, but the model restores "
                            'grey images.')
        upright = ImageOps.exif_transpose(image)
        pixels = np.asarray(upright.convert('L' if channels == 1 else 'RGB'))
    pixels = pixels[..., None] if channels == 1 else pixels[..., ::-1]
    return np.ascontiguousarray(pixels)


def write_image(path: Path, image: np.ndarray) -> None:
    """Writes (H, W, 3) uint8 BGR, or (H, W, 1), to a file not yet there.

    Raises:
        OutputError: If it exists or cannot be written.
    """
    pixels = image[..., 0] if image.shape[2] == 1 else image[..., ::-1]
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    kind = Image.registered_extensions()[path.suffix]
    try:
        with open(path, 'xb') as file:
            picture.save(file, format=kind)
    except FileExistsError:
        raise OutputError(f"'{path}' exists and is not overwritten.") from None
    except OSError as error:
        raise OutputError(f"cannot write '{path}': {error.strerror or error}."
                          ) from error


def find_images(inputs: Iterable[str]) -> List[Path]:
    """Images named one by one, by folder or by a pattern such as '*.jpg'.

    Raises:
        DataError: If one of them leads to no image.
    """
    found: List[Path] = []
    for name in map(str, inputs):
        path = Path(name)
        if path.is_dir():
            found += list_images(path)
        elif path.is_file():
            found.append(path)
        else:
            matches = sorted(
                Path(match) for match in glob.glob(name, recursive=True)
                if Path(match).suffix.lower() in EXTENSIONS)
            if not matches:
                raise DataError(f"there is no image '{name}'.")
            found += matches
    return list(dict.fromkeys(found))


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
