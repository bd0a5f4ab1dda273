"""Finding image files."""
from pathlib import Path
from typing import Dict, List

from ..errors import DataError

EXTENSIONS = ('.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff', '.webp')


def list_images(folder: Path) -> List[Path]:
    """The image files directly in a folder, sorted by name.

    All that is named as one: links to nothing and folders are for the reader
    to refuse, not to be left out in silence.

    Raises:
        DataError: If the folder is missing or has no image.
    """
    try:
        if not folder.is_dir():
            raise DataError(f"the data folder '{folder}' does not exist.")
        files = sorted(p for p in folder.iterdir()
                       if p.suffix.lower() in EXTENSIONS)
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
