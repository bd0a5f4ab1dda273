"""Conversion of 16-bit channels to 8 bits."""
from typing import Optional

import numpy as np

from ..errors import ConfigError

#: Default white level of a 16-bit file.
FULL = 2**16 - 1
#: Bit depths that cameras and microscopes store in 16-bit files.
DEPTHS = (8, 10, 12, 14)


def check_white(white: Optional[int]) -> None:
    """Check a white level.

    Raises:
        ConfigError: If it is not an integer from 255 to 65535.
    """
    if white is not None and (type(white) is not int
                              or not 255 <= white <= FULL):
        raise ConfigError(f'white={white!r} is not an integer from 255 to '
                          f'{FULL}.')


def to_eight_bits(deep: np.ndarray, white: Optional[int]) -> np.ndarray:
    """Scale 16-bit values so that the white level becomes 255.

    Args:
        deep (ndarray): uint16.
        white (int, optional): White level, 255 to 65535; values above it
            become 255. The default, 65535, keeps the upper 8 bits.

    Returns:
        ndarray: uint8.
    """
    if white in (None, FULL):
        return (deep >> 8).astype(np.uint8)
    scaled = deep.astype(np.uint32) * 256 // (white + 1)
    return np.minimum(scaled, 255).astype(np.uint8)


def used_bits(deep: np.ndarray) -> int:
    """Return the bit depth of 16-bit values: one of :data:`DEPTHS`, or 16.

    An image that is entirely 0 counts as 16 bits.
    """
    high = int(deep.max())
    return next((n for n in DEPTHS if 0 < high < 2**n), 16)


def describe_mismatch(deep: np.ndarray, white: Optional[int]) -> str:
    """Describe a mismatch between the values and the white level.

    Args:
        deep (ndarray): uint16.
        white (int, optional): As for :func:`to_eight_bits`.

    Returns:
        str: A sentence without the name of the file, or '' if the values
        match.
    """
    if white is not None:
        high = int(deep.max())
        return '' if high <= white else (
            f'has values up to {high}; those above the white level {white} '
            'are clipped.')
    bits = used_bits(deep)
    if bits == 16:
        return ''
    level = 2**bits - 1
    return (f'has 16 bits per channel but uses only {deep.min()} to '
            f'{deep.max()}, so it turns out dark: set the white level to '
            f'{level} for {bits}-bit data with --white {level} (in Python and '
            f'LoadImage: white={level}); --white {FULL} silences this '
            'warning.')
