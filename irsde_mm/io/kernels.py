"""Reading of blur kernels."""
from pathlib import Path
from typing import Union

import numpy as np

from ..errors import DataError
from .image_files import EXTENSIONS
from .reader import read_image


def read_kernel(path: Union[str, Path]) -> np.ndarray:
    """Read a blur kernel as float64 (h, w).

    Args:
        path (str | Path): An image, whose gray levels are divided by their
            sum; a NumPy file (.npy); or a text file with one row of numbers
            per line, separated by spaces or commas.

    Raises:
        DataError: If the file cannot be read, or an image is black.
    """
    path = Path(path)
    if path.suffix.lower() in EXTENSIONS:
        values = read_image(path, grey=True)[..., 0].astype(np.float64)
        if not values.any():
            raise DataError(f"the kernel '{path}' is black.")
        return values / values.sum()
    try:
        if path.suffix.lower() == '.npy':
            return np.asarray(np.load(path, allow_pickle=False), np.float64)
        text = path.read_text().replace(',', ' ')
        return np.loadtxt(text.splitlines(), ndmin=2)
    except (OSError, ValueError, EOFError) as error:
        reason = getattr(error, 'strerror', None) or str(error)
        raise DataError(f"the kernel '{path}' cannot be read: "
                        f"{' '.join(reason.split())[:200]}.") from error
