"""Finding image files and looking at them without decoding them."""
from pathlib import Path
from typing import Dict, List, Tuple

from PIL import Image, UnidentifiedImageError

from ..errors import DataError

EXTENSIONS = ('.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff', '.webp')
# how a whole file usually ends
TRAILERS = {'PNG': b'IEND', 'JPEG': b'\xff\xd9'}
TAIL = 64
ORIENTATION, SIDEWAYS = 0x0112, (5, 6, 7, 8)  # EXIF


def list_images(folder: Path) -> List[Path]:
    """The image files directly in a folder, sorted by name.

    Raises:
        DataError: If the folder is missing or has no image.
    """
    if not folder.is_dir():
        raise DataError(f"the data folder '{folder}' does not exist.")
    files = sorted(p for p in folder.iterdir()
                   if p.suffix.lower() in EXTENSIONS and p.is_file())
    if not files:
        raise DataError(f"the data folder '{folder}' has no image "
                        f"({', '.join(EXTENSIONS)}).")
    return files


def image_size(path: Path) -> Tuple[int, int]:
    """Width and height, turned upright, of a file that holds a whole image.

    For PNG and JPEG the first and the last bytes tell; where they do not, as
    with other formats or with something appended, it is decoded.

    Raises:
        DataError: If the file is not a whole image, or one of 32 bits a
            channel, which OpenCV does not read as a picture.
    """
    try:
        with Image.open(path) as image:
            size, marker = image.size, TRAILERS.get(image.format)
            if image.mode in ('F', 'I'):
                raise DataError(f"'{path}' has 32 bits a channel; save it "
                                'with 8 or 16.')
            # others than JPEG would be decoded to look for it
            if image.format == 'JPEG' and image.getexif().get(
                    ORIENTATION) in SIDEWAYS:
                size = size[::-1]
            if marker is None or marker not in _tail(path):
                image.load()
    except DataError:
        raise
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError,
            Image.DecompressionBombError) as error:
        raise DataError(f"'{path}' is not a readable image "
                        f'({error or type(error).__name__}).') from None
    return size


def _tail(path: Path) -> bytes:
    with open(path, 'rb') as file:
        file.seek(0, 2)
        file.seek(max(file.tell() - TAIL, 0))
        return file.read()


def by_stem(files: List[Path]) -> Dict[str, Path]:
    """Files by their name without extension.

    Raises:
        DataError: If two files differ in their extensions only.
    """
    found: Dict[str, Path] = {}
    for path in files:
        if path.stem in found:
            raise DataError(f"'{found[path.stem]}' and '{path}' have the same "
                            'name: keep one.')
        found[path.stem] = path
    return found
