"""How much memory a photo needs, before it is restored."""
from functools import partial

import numpy as np

from ..errors import DataError
from ..memory import free_memory, peak_allocation
from ..models.restorers.tiled_model import (PROBE, WHOLE, TiledEditModel,
                                            bytes_per_pixel)
from .inference import enlargement, image_channels
from .restoring import restore

#: Image-sized tensors of a sampler and of what comes before and after it.
IMAGES = 10


def call_memory(model, height: int, width: int) -> int:
    """Bytes that a network call holds at its peak for an image of that size.

    Args:
        model: What :func:`init_restorer` returns.
        height, width (int): Of the image.
    """
    channels, pixels = image_channels(model), height * width
    if not isinstance(model, TiledEditModel):
        small = np.zeros((PROBE, PROBE, channels), np.uint8)
        device = next(model.parameters()).device
        return peak_allocation(partial(restore, model, small),
                               device) * pixels // PROBE**2
    # of the whole size, without taking its memory
    image = next(model.parameters()).new_zeros(1, channels, 1, 1).expand(
        1, channels, height // model.enlarges, width // model.enlarges)
    images, call = (image, ), model.generator
    if hasattr(model, 'sampler'):
        images, call = (image, image), partial(call, t=1)
    tiling = model.tiling(model.generator, call, images)
    shown = image[0, 0].numel() if tiling is None else (
        tiling.batch * tiling.side**2)
    return int(shown * bytes_per_pixel(model.generator, call, images))


def check_memory(model, height: int, width: int, path: str) -> None:
    """Stops before a large photo for which memory does not suffice.

    Args:
        model: What :func:`init_restorer` returns.
        height, width (int): Of the photo.
        path (str): Its file, which is named.

    Raises:
        DataError: With what it needs and what there is.
    """
    height, width = (enlargement(model) * side for side in (height, width))
    if height * width <= WHOLE:
        return
    need = call_memory(model, height, width) + (
        IMAGES * 4 * image_channels(model) * height * width)
    free = free_memory(next(model.parameters()).device)
    if need > free:
        raise DataError(
            f"'{path}' has {height * width / 1e6:.1f} megapixels and needs "
            f'about {need / 2**30:.1f} GiB of memory, of which '
            f'{free / 2**30:.1f} GiB are free; make it smaller, show it to '
            'the network in (smaller) tiles, --tile, or go on with --force.')
