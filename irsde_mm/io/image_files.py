"""Finding image files."""
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import Callable, Dict, List

from ..errors import DataError

EXTENSIONS = ('.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff', '.webp')


def is_image(path: PurePath) -> bool:
    """Return True if a file name has an image extension.

    Names that begin with a dot are excluded: operating systems create such
    files next to images, for example ``._photo.png`` (macOS).
    """
    return (path.suffix.lower() in EXTENSIONS
            and not path.name.startswith('.'))


def is_match(path: PurePath, pattern: PurePath,
             accept: Callable[[PurePath], bool] = is_image) -> bool:
    """Return True if a path that matches a glob pattern is an image, or
    another accepted file.

    As in a shell, wildcards do not match folders that begin with a dot.
    """
    dotted = [part for part in pattern.parts if part.startswith('.')]
    hidden = [part for part in path.parts[:-1] if part.startswith('.')]
    return accept(path) and all(
        any(fnmatchcase(part, known) for known in dotted) for part in hidden)


def list_images(folder: Path) -> List[Path]:
    """List the image files directly in a folder, sorted by name.

    The list contains every name that :func:`is_image` accepts. Broken links
    and folders with such a name are included, so that the reader reports
    them instead of skipping them silently.

    Raises:
        DataError: If the folder is missing or contains no images.
    """
    try:
        if not folder.is_dir():
            raise DataError(f"the data folder '{folder}' does not exist.")
        files = sorted(filter(is_image, folder.iterdir()))
    except OSError as error:
        raise DataError(f"the data folder '{folder}' cannot be read: "
                        f'{error.strerror}.') from None
    if not files:
        raise DataError(f"the data folder '{folder}' contains no images "
                        f"({', '.join(EXTENSIONS)}).")
    return files


def by_stem(files: List[Path]) -> Dict[str, Path]:
    """Map file names without extension to files.

    Raises:
        DataError: If two files differ only in their extension.
    """
    found: Dict[str, Path] = {}
    for path in files:
        if path.stem in found:
            raise DataError(f'{str(found[path.stem])!r} and {str(path)!r} '
                            'differ only in their extension: keep one.')
        found[path.stem] = path
    return found
