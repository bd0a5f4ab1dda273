"""Reading of masks."""
from pathlib import Path
from typing import Union

import numpy as np

from ..errors import ImageError
from .reader import read_image


def read_mask(path: Union[str, Path]) -> np.ndarray:
    """Read a mask as booleans (H, W), True where the image is kept (white).

    Raises:
        ImageError: If it is unreadable or has gray values.
    """
    mask = read_image(path, grey=True)[..., 0]
    if ((mask > 0) & (mask < 255)).any():
        raise ImageError(f"the mask '{path}' has gray values; it must contain "
                         'only black (hole) and white (keep).')
    return mask > 0
