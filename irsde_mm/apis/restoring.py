"""Photos through a model, one by one or in batches."""
from collections import defaultdict
from pathlib import Path
from typing import List, Optional, Sequence, Tuple, Union

import numpy as np
import torch

from ..datasets.image_reader import MAX_PIXELS
from ..errors import DataError
from ..samplers.base import Callback, Sampler
from .images import read_photo
from .inference import choose_sampler, image_channels

#: Pixels and photos of a batch, unless it is said how many.
BATCH_PIXELS, BATCH = 2**20, 16


def in_batches(model, sizes: Sequence[Tuple[int, int]],
               most: Optional[int] = None) -> List[List[int]]:
    """Which photos are restored together: those of (almost) one size.

    Args:
        model: What :func:`init_restorer` returns.
        sizes: Height and width of each photo.
        most (int, optional): Most photos of a batch; by default as many as
            have a megapixel together, up to 16.

    Returns:
        list[list[int]]: Positions in ``sizes``, in batches.
    """
    groups = defaultdict(list)
    for i, size in enumerate(sizes):
        groups[batch_key(model, *size)].append(i)
    batches = []
    for (h, w), group in groups.items():
        n = most or min(max(BATCH_PIXELS // (h * w), 1), BATCH)
        n = n if hasattr(model, 'padded_size') else 1
        batches += [group[i:i + n] for i in range(0, len(group), n)]
    return batches


def batch_key(model, height: int, width: int) -> Tuple[int, int]:
    """Equal for sizes of photos that a model can restore in one batch."""
    padded_size = getattr(model, 'padded_size', None)
    return (height, width) if padded_size is None else padded_size(
        height, width)


def load_pixels(image: Union[str, Path, np.ndarray], channels: int,
                max_pixels: int) -> Tuple[str, np.ndarray]:
    """An image's name, '' for an array, and its pixels (H, W, channels).

    Raises:
        DataError: If the photo is of no use, or an array of another form.
    """
    if not isinstance(image, np.ndarray):
        return str(image), read_photo(image, channels, max_pixels)
    if (image.ndim != 3 or image.dtype != np.uint8 or image.size == 0
            or image.shape[2] != channels):
        raise DataError(f'an image array must be (height, width, {channels}) '
                        f'of uint8, but is {image.shape} of {image.dtype}.')
    return '', image


def restore(model, image: Union[str, Path, np.ndarray],
            **options) -> np.ndarray:
    """Restores one photo.

    Args:
        model: What :func:`init_restorer` returns.
        image: A path, or (H, W, C) uint8 in OpenCV's order, BGR.
        **options: :func:`restore_batch`'s.

    Returns:
        ndarray: The restored photo, (H, W, C) uint8 BGR.

    Raises:
        ConfigError, DataError: If an option or the photo is of no use.
    """
    return restore_batch(model, [image], **options)[0]


def restore_batch(model, images: Sequence[Union[str, Path, np.ndarray]], *,
                  sampler: Union[None, str, dict, Sampler] = None,
                  steps: Optional[int] = None, seed: Optional[int] = None,
                  callback: Optional[Callback] = None,
                  max_pixels: int = MAX_PIXELS) -> List[np.ndarray]:
    """Restores photos together, each as if it were alone.

    Args:
        model: What :func:`init_restorer` returns.
        images: Paths, or arrays as for :func:`restore`, whose
            :func:`batch_key` is the same.
        sampler, steps: See :func:`choose_sampler`.
        seed (int, optional): Chooses among the possible results. By default
            the test seed and the file's name do, as in testing.
        callback: Called as ``callback(s, xs)`` after every step, with images.
        max_pixels (int): A file that declares more is refused.

    Returns:
        list[ndarray]: The restored photos.

    Raises:
        ConfigError, DataError: If an option or a photo is of no use.
    """
    from mmagic.structures import DataSample
    channels = image_channels(model)
    named = [load_pixels(image, channels, max_pixels) for image in images]
    if len({batch_key(model, *pixels.shape[:2]) for _, pixels in named}) > 1:
        raise DataError('photos of different sizes cannot be restored in one '
                        'batch.')
    device = next(model.parameters()).device
    options = {}
    if sampler is not None or steps is not None:
        options['sampler'] = choose_sampler(model, sampler, steps)
    if seed is not None:
        options['generator'] = [torch.Generator(device).manual_seed(seed)
                                for _ in named]
    if callback is not None:
        options['callback'] = callback
    data = model.data_preprocessor(dict(
        inputs=[torch.from_numpy(pixels.transpose(2, 0, 1).copy()).to(device)
                for _, pixels in named],
        data_samples=[DataSample(metainfo=dict(img_path=name))
                      for name, _ in named]))
    with torch.no_grad():
        restored = model.forward_tensor(
            data['inputs'], data['data_samples'], **options)
    if isinstance(restored, tuple):
        # mmagic's inpainting models: the filled image, and only its holes
        restored = restored[-1]
    return [to_pixels(model, image, sample) for image, sample in zip(
        restored, data['data_samples'].split())]


def to_pixels(model, restored: torch.Tensor, sample) -> np.ndarray:
    """What a model gives for one image (C, H, W), as (H, W, C) uint8 BGR."""
    image = model.data_preprocessor.destruct(restored, sample)
    return image.round_().byte().cpu().numpy().transpose(1, 2, 0).copy()
