"""Functions that restore photos, one by one or in batches."""
from pathlib import Path
from typing import Any, List, Optional, Sequence, Tuple, Union

import numpy as np

from ..inference.image_pipeline import Callback, Choice, Start
from ..io.reader import MAX_PIXELS
from ..io.white_level import check_white
from .inference import as_pipeline
from .photos import FILES, Photo, Source


def load_pixels(image: Union[str, Source, Photo], channels: int,
                max_pixels: int, white: Optional[int] = None
                ) -> Tuple[str, np.ndarray]:
    """Load an image.

    Returns:
        (name, pixels): The path, or '' if the image is not a file, and the
        pixels (H, W, channels).

    Raises:
        ImageError: If the image cannot be used.
    """
    if not isinstance(image, Photo):
        image = Photo('', Path(image) if isinstance(image, str) else image)
    name = str(image.source) if isinstance(image.source, FILES) else ''
    return name, image.load(channels, max_pixels, white)


def restore(model, image: Union[str, Source], **options) -> np.ndarray:
    """Restore one photo.

    Args:
        model: Model returned by :func:`init_restorer`.
        image: A path, an array (H, W, C) uint8 in OpenCV's BGR order, or a
            PIL image.
        **options: Options of :func:`restore_batch`.

    Returns:
        ndarray: The restored photo, (H, W, C) uint8 BGR, upscaled if the
        model does super-resolution.

    Raises:
        ConfigError, DataError: If an option or the photo cannot be used.
    """
    return restore_batch(model, [image], **options)[0]


def restore_batch(model, images: Sequence[Union[str, Source, Photo]], *,
                  sampler: Choice = None, steps: Optional[int] = None,
                  seed: Optional[int] = None, draw: int = 0,
                  start: Optional[Start] = None,
                  crispness: Optional[float] = None,
                  data_consistency: Any = None,
                  callback: Optional[Callback] = None,
                  max_pixels: int = MAX_PIXELS,
                  white: Optional[int] = None) -> List[np.ndarray]:
    """Restore photos as a batch, with the results of restoring each alone.

    Args:
        model: Model returned by :func:`init_restorer`.
        images: Images as for :func:`restore`, of (almost) the same size
            (:meth:`ImagePipeline.batch_key`).
        sampler, steps, seed, draw, start, crispness, data_consistency,
            callback: See
            :meth:`ImagePipeline.restore_batch`.
        max_pixels (int): Files that declare more pixels are rejected.
        white (int, optional): White level of files with 16 bits per channel,
            see :func:`read_image`.

    Returns:
        list[ndarray]: The restored photos.

    Raises:
        ConfigError, DataError: If an option or a photo cannot be used.
    """
    pipeline = as_pipeline(model)
    check_white(white)
    named = [load_pixels(image, pipeline.channels, max_pixels, white)
             for image in images]
    return pipeline.restore_batch(
        [pixels for _, pixels in named], [name for name, _ in named],
        sampler=sampler, steps=steps, seed=seed, draw=draw, start=start,
        crispness=crispness, data_consistency=data_consistency,
        callback=callback)
