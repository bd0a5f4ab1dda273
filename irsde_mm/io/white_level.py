"""Conversion of 16-bit channels to 8 bits."""
from typing import Optional

import numpy as np

from ..errors import ConfigError

#: The white level of a 16-bit file, unless another one is given.
FULL = 2**16 - 1
#: Bits of data that cameras and microscopes store in 16-bit files.
DEPTHS = (8, 10, 12, 14)


def check_white(white: Optional[int]) -> None:
    """Check a white level.

    Raises:
        ConfigError: If it is not a whole number from 255 to 65535.
    """
    if white is not None and (type(white) is not int
                              or not 255 <= white <= FULL):
        raise ConfigError(f'white={white!r} is not a whole number from 255 to '
                          f'{FULL}.')


def to_eight_bits(deep: np.ndarray, white: Optional[int]) -> np.ndarray:
    """Scale 16-bit values so that the white level becomes 255.

    Args:
        deep (ndarray): uint16.
        white (int, optional): 255 to 65535; values above it become 255. The
            default, 65535, keeps the upper 8 bits.

    Returns:
        ndarray: uint8.
    """
    if white in (None, FULL):
        return (deep >> 8).astype(np.uint8)
    scaled = deep.astype(np.uint32) * 256 // (white + 1)
    return np.minimum(scaled, 255).astype(np.uint8)


def used_bits(deep: np.ndarray) -> int:
    """The bits that 16-bit values use: one of :data:`DEPTHS`, or 16.

    An image without any value above 0 is taken to use all.
    """
    high = int(deep.max())
    return next((n for n in DEPTHS if 0 < high < 2**n), 16)


def remark(deep: np.ndarray, white: Optional[int]) -> str:
    """Describe a mismatch between the values and the white level.

    Args:
        deep (ndarray): uint16.
        white (int, optional): As for :func:`to_eight_bits`.

    Returns:
        str: A sentence without the name of the file, '' if there is no
        mismatch.
    """
    if white is not None:
        high = int(deep.max())
        return '' if high <= white else (
            f'has values up to {high}: those above the white level {white} '
            'are clipped.')
    bits = used_bits(deep)
    if bits == 16:
        return ''
    level = 2**bits - 1
    return (f'has 16 bits a channel but uses only {deep.min()} to '
            f'{deep.max()}, so it becomes dark: set the white level, --white '
            f'{level} for {bits}-bit data (in Python and LoadImage: white='
            f'{level}); --white {FULL} keeps it dark.')
