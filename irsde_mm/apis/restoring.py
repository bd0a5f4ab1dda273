"""Photos through a model, one by one or in batches."""
from pathlib import Path
from typing import List, Optional, Sequence, Tuple, Union

import numpy as np

from ..inference.image_pipeline import Callback, Choice, Start
from ..io.reader import MAX_PIXELS
from ..io.white_level import check_white
from .inference import as_pipeline
from .photos import Photo, Source


def load_pixels(image: Union[str, Source, Photo], channels: int,
                max_pixels: int, white: Optional[int] = None
                ) -> Tuple[str, np.ndarray]:
    """Name, '' without a file, and pixels (H, W, channels) of an image.

    Raises:
        ImageError: If it cannot be used.
    """
    if not isinstance(image, Photo):
        image = Photo('', Path(image) if isinstance(image, str) else image)
    name = str(image.source) if isinstance(image.source, Path) else ''
    return name, image.load(channels, max_pixels, white)


def restore(model, image: Union[str, Source], **options) -> np.ndarray:
    """Restores one photo.

    Args:
        model: What :func:`init_restorer` returns.
        image: A path, (H, W, C) uint8 in OpenCV's order, BGR, or a PIL image.
        **options: :func:`restore_batch`'s.

    Returns:
        ndarray: The restored photo, (H, W, C) uint8 BGR; of a
        super-resolution model enlarged.

    Raises:
        ConfigError, DataError: If an option or the photo cannot be used.
    """
    return restore_batch(model, [image], **options)[0]


def restore_batch(model, images: Sequence[Union[str, Source, Photo]], *,
                  sampler: Choice = None, steps: Optional[int] = None,
                  seed: Optional[int] = None, draw: int = 0,
                  start: Optional[Start] = None,
                  callback: Optional[Callback] = None,
                  max_pixels: int = MAX_PIXELS,
                  white: Optional[int] = None) -> List[np.ndarray]:
    """Restores photos together, each as if it were alone.

    Args:
        model: What :func:`init_restorer` returns.
        images: As for :func:`restore`, of (almost) one size
            (:meth:`ImagePipeline.batch_key`).
        sampler, steps, seed, draw, start, callback: See
            :meth:`ImagePipeline.restore_batch`.
        max_pixels (int): A file that declares more is refused.
        white (int, optional): White level of files with 16 bits a channel,
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
        callback=callback)
