"""Finding image files."""
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import Dict, List

from ..errors import DataError

EXTENSIONS = ('.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff', '.webp')


def is_image(path: PurePath) -> bool:
    """Whether a file is an image, judging by its name.

    Names that begin with a dot do not count: operating systems leave such
    files beside images, for example ``._photo.png`` (macOS).
    """
    return (path.suffix.lower() in EXTENSIONS
            and not path.name.startswith('.'))


def is_match(path: PurePath, pattern: PurePath) -> bool:
    """Whether a match of a pattern is an image.

    As in a shell, wildcards do not match folders that begin with a dot.
    """
    dotted = [part for part in pattern.parts if part.startswith('.')]
    hidden = [part for part in path.parts[:-1] if part.startswith('.')]
    return is_image(path) and all(
        any(fnmatchcase(part, known) for known in dotted) for part in hidden)


def list_images(folder: Path) -> List[Path]:
    """The image files directly in a folder, sorted by name.

    Every name that :func:`is_image` accepts: broken links and folders are
    refused by the reader, not left out in silence.

    Raises:
        DataError: If the folder is missing or has no image.
    """
    try:
        if not folder.is_dir():
            raise DataError(f"the data folder '{folder}' does not exist.")
        files = sorted(filter(is_image, folder.iterdir()))
    except OSError as error:
        raise DataError(f"the data folder '{folder}' cannot be read: "
                        f'{error.strerror}.') from None
    if not files:
        raise DataError(f"the data folder '{folder}' has no image "
                        f"({', '.join(EXTENSIONS)}).")
    return files


def by_stem(files: List[Path]) -> Dict[str, Path]:
    """Files by their name without extension.

    Raises:
        DataError: If two files differ in their extensions only.
    """
    found: Dict[str, Path] = {}
    for path in files:
        if path.stem in found:
            raise DataError(f'{str(found[path.stem])!r} and {str(path)!r} '
                            'have the same name: keep one.')
        found[path.stem] = path
    return found
