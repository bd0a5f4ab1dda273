"""Photos through a model, one by one or in batches."""
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any, Callable, List, Optional, Sequence, Tuple, Union

import numpy as np
import torch

from ..datasets.image_reader import MAX_PIXELS
from ..errors import ConfigError, DataError
from ..models.restorers.image_sources import image_generators
from ..samplers.base import Sampler
from ..sde.base import Time
from .inference import choose_sampler, enlargement, image_channels
from .photos import Photo, Source

#: Pixels and photos of a batch, unless it is said how many.
BATCH_PIXELS, BATCH = 2**20, 16
#: Seeds are less than this: torch takes 64 bits, and draws add to a seed.
SEEDS = 2**63
Start = Tuple[torch.Tensor, int]
Watch = Callable[[range, int, float, Callable[[], List[np.ndarray]]], Any]


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
    height, width = (enlargement(model) * side for side in (height, width))
    padded_size = getattr(model, 'padded_size', None)
    return (height, width) if padded_size is None else padded_size(
        height, width)


def load_pixels(image: Union[str, Source], channels: int,
                max_pixels: int) -> Tuple[str, np.ndarray]:
    """An image's name, '' for one without a file, and its pixels (H, W,
    channels).

    Raises:
        ImageError: If it is of no use.
    """
    if isinstance(image, str):
        image = Path(image)
    name = str(image) if isinstance(image, Path) else ''
    return name, Photo(name, image).load(channels, max_pixels)


def restore(model, image: Union[str, Source],
            **options) -> np.ndarray:
    """Restores one photo.

    Args:
        model: What :func:`init_restorer` returns.
        image: A path, (H, W, C) uint8 in OpenCV's order, BGR, or a PIL image.
        **options: :func:`restore_batch`'s.

    Returns:
        ndarray: The restored photo, (H, W, C) uint8 BGR; of a
        super-resolution model enlarged.

    Raises:
        ConfigError, DataError: If an option or the photo is of no use.
    """
    return restore_batch(model, [image], **options)[0]


def restore_batch(model, images: Sequence[Union[str, Source]], *,
                  sampler: Union[None, str, dict, Sampler] = None,
                  steps: Optional[int] = None, seed: Optional[int] = None,
                  draw: int = 0, start: Optional[Start] = None,
                  watch: Optional[Watch] = None,
                  max_pixels: int = MAX_PIXELS) -> List[np.ndarray]:
    """Restores photos together, each as if it were alone.

    Args:
        model: What :func:`init_restorer` returns.
        images: As for :func:`restore`; their :func:`batch_key` is the same.
        sampler, steps: See :func:`choose_sampler`.
        seed (int, optional): Chooses among the possible results. By default
            the test seed and the file's name do, as in testing.
        draw (int): Which of the results of a seed, from 0; draw i is the
            first of ``seed + i``.
        start: ``(xt, t)``, states (B, C, H, W) in the range of the process
            and their time, in place of the start of the process.
        watch: Called as ``watch(photos, step, t, states)`` at the start, step
            0, and after every step: photos is the range of those that are
            being walked, and ``states()`` gives theirs, as uint8 images.
        max_pixels (int): A file that declares more is refused.

    Returns:
        list[ndarray]: The restored photos.

    Raises:
        ConfigError, DataError: If an option or a photo is of no use.
    """
    channels = image_channels(model)
    named = [load_pixels(image, channels, max_pixels) for image in images]
    if len({batch_key(model, *pixels.shape[:2]) for _, pixels in named}) > 1:
        raise DataError('photos of different sizes cannot be restored in one '
                        'batch.')
    options = {}
    if sampler is not None or steps is not None:
        options['sampler'] = choose_sampler(model, sampler, steps)
    data = batch_data(model, [pixels for _, pixels in named],
                      [name for name, _ in named])
    options.update(of_a_walk(model, data, seed, draw, start, watch))
    with torch.no_grad():
        restored = model.forward_tensor(
            data['inputs'], data['data_samples'], **options)
    if isinstance(restored, tuple):
        # mmagic's inpainting models: the filled image, and only its holes
        restored = restored[-1]
    return [to_pixels(model, image, sample) for image, sample in zip(
        restored, data['data_samples'].split())]


def batch_data(model, images: Sequence[np.ndarray],
               names: Optional[Sequence[str]] = None,
               enlarge: bool = True) -> dict:
    """Images as a model takes them.

    Args:
        model: What :func:`init_restorer` returns.
        images: (H, W, C) uint8 BGR.
        names: Their paths, by default ''.
        enlarge (bool): Whether a model that takes enlarged photos
            (super-resolution) gets them enlarged.

    Returns:
        dict: ``inputs`` (B, C, H, W) and ``data_samples``.
    """
    from mmagic.structures import DataSample
    device = next(model.parameters()).device
    if enlarge and enlargement(model) > 1:
        images = [model.upsample(dict(img=image))['img'] for image in images]
    return model.data_preprocessor(dict(
        inputs=[torch.from_numpy(image.transpose(2, 0, 1).copy()).to(device)
                for image in images],
        data_samples=[DataSample(metainfo=dict(img_path=name))
                      for name in names or [''] * len(images)]))


def check_seed(seed: Optional[int]) -> None:
    """Stops a seed that is none.

    Raises:
        ConfigError: With what it has to be.
    """
    if seed is not None and (type(seed) is not int or not 0 <= seed < SEEDS):
        raise ConfigError(f'seed={seed!r} is no whole number from 0 to '
                          '2**63 - 1.')


def of_a_walk(model, data: dict, seed: Optional[int], draw: int,
              start: Optional[Start], watch: Optional[Watch]) -> dict:
    """What ``forward_tensor`` is told of the walk."""
    check_seed(seed)
    options = {}
    if seed is not None:
        options['generator'] = [
            torch.Generator(data['inputs'].device).manual_seed(seed + draw)
            for _ in data['inputs']]
    elif draw:
        options['generator'] = image_generators(
            data['inputs'], data['data_samples'],
            (model.test_cfg or {}).get('seed', 0) + draw)
    if start is not None:
        options['start'] = start
    if watch is not None:
        told = _Told(model, data['data_samples'].split(), watch)
        options.update(started=told.started, callback=told.stepped)
    return options


class _Told:
    """Tells of the walks of a batch: one, or one of each photo where they
    start at different times."""

    def __init__(self, model, samples: list, watch: Watch) -> None:
        self.model, self.samples, self.watch = model, samples, watch
        self.photos = range(0)

    def started(self, t: Time, xt: torch.Tensor) -> None:
        self.photos = range(self.photos.stop, self.photos.stop + len(xt))
        self.steps = -1
        self.stepped(t, xt)

    def stepped(self, s: Time, xs: torch.Tensor) -> None:
        self.steps += 1
        self.watch(self.photos, self.steps, float(s),
                   partial(self.images, self.photos, xs))

    def images(self, photos: range, states: torch.Tensor) -> list:
        # a copy: making pixels of it happens in place
        return [to_pixels(self.model, state.clone(), self.samples[i])
                for i, state in zip(photos, states)]


def to_pixels(model, restored: torch.Tensor, sample) -> np.ndarray:
    """What a model gives for one image (C, H, W), as (H, W, C) uint8 BGR."""
    image = model.data_preprocessor.destruct(restored, sample)
    return image.round_().byte().cpu().numpy().transpose(1, 2, 0).copy()
