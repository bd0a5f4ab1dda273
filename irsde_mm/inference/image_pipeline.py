"""Models that restore photos, whatever their kind."""
from abc import ABC, abstractmethod
from collections import defaultdict
from pathlib import Path
from typing import Any, Callable, List, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from torch import Tensor

from ..errors import ConfigError, DataError, ImageError
from ..samplers.base import Sampler
from .memory import free_memory
from .network_calls import WHOLE, Tile
from .progress import Progress

#: Pixels and photos of a batch by default.
BATCH_PIXELS, BATCH = 2**20, 16
#: Seeds are below this: torch takes 64 bits, and draws add to a seed.
SEEDS = 2**63
#: Image-sized tensors of a sampler and of what comes before and after it.
IMAGES = 10

Callback = Callable[[Progress], Any]
Choice = Union[None, str, dict, Sampler]
Size = Tuple[int, int]
Start = Tuple[Tensor, int]


def check_seed(seed: Optional[int]) -> None:
    """Refuses what is not a seed.

    Raises:
        ConfigError: With the range.
    """
    if seed is not None and (type(seed) is not int or not 0 <= seed < SEEDS):
        raise ConfigError(f'seed={seed!r} must be a whole number from 0 to '
                          '2**63 - 1.')


class ImagePipeline(ABC):
    """A model that restores photos, whatever its kind.

    Attributes:
        channels (int): Channels of the photos, 1 or 3.
        upscale (int): How many times larger than a photo its result is.
        sampler (Sampler, optional): That of a diffusion model.
    """

    channels = 3
    upscale = 1
    sampler: Optional[Sampler] = None
    #: How training images were degraded, transforms as plain data.
    degradation: Sequence[dict] = ()

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where the networks are."""

    @abstractmethod
    def restore_batch(self, images: Sequence[np.ndarray],
                      names: Optional[Sequence[str]] = None, *,
                      sampler: Choice = None, steps: Optional[int] = None,
                      seed: Optional[int] = None, draw: int = 0,
                      start: Optional[Start] = None,
                      tile: Optional[Tile] = None,
                      callback: Optional[Callback] = None
                      ) -> List[np.ndarray]:
        """Restores photos together, each as if it were alone.

        Args:
            images: (H, W, C) uint8 BGR, all with the same :meth:`batch_key`.
            names: Their paths, from which noise is seeded; '' by default.
            sampler, steps: See :meth:`choose_sampler`.
            seed (int, optional): Chooses among the possible results, from 0
                to 2^63 - 1. By default the model's seed and the names do.
            draw (int): Which of the results of a seed, from 0; draw i is the
                first one of ``seed + i``.
            start: ``(xt, t)``, states (B, C, H, W) in the range of the
                process and their time, in place of the process' start.
            tile (int | str, optional): See :class:`NetworkCalls`.
            callback: Called with a :class:`Progress` at the start, step 0,
                and after every step.

        Returns:
            list[ndarray]: The restored photos, (H, W, C) uint8 BGR.

        Raises:
            ConfigError, DataError: If an option or a photo cannot be used.
        """

    @abstractmethod
    def call_bytes(self, height: int, width: int) -> int:
        """Bytes that a network call holds at its peak for an image of that
        size, as the network sees it."""

    def choose_sampler(self, sampler: Choice = None,
                       steps: Optional[int] = None) -> Optional[Sampler]:
        """The model's sampler, or another one, with another number of steps.

        Args:
            sampler: A preset or a name of ``SAMPLERS`` (with steps and clamp
                of the model's own), a sampler's config, or a sampler.
            steps (int, optional): Steps, which is network calls.

        Raises:
            ConfigError: If the model has no sampler, the sampler is unknown,
                or the steps do not fit.
        """
        if sampler is not None or steps is not None:
            raise ConfigError(f'{self.name} is not a diffusion model: it '
                              'takes neither sampler nor steps.')
        return None

    @property
    def name(self) -> str:
        """Name of the kind of model, for messages."""
        return type(self).__name__

    def max_calls(self, sampler: Optional[Sampler]) -> int:
        """Network calls for one draw of an image, at most."""
        return 1

    def padded_size(self, height: int, width: int) -> Size:
        """Size to which the network pads an image."""
        return height, width

    #: Whether photos of one :meth:`batch_key` can share a batch.
    batches = True

    def batch_key(self, height: int, width: int) -> Size:
        """Equal for sizes of photos that one batch can hold."""
        return self.padded_size(self.upscale * height, self.upscale * width)

    def in_batches(self, sizes: Sequence[Size],
                   most: Optional[int] = None) -> List[List[int]]:
        """Which photos are restored together: those of (almost) one size.

        Args:
            sizes: Height and width of each photo.
            most (int, optional): Most photos of a batch; by default those of
                a megapixel together, up to 16.

        Returns:
            list[list[int]]: Places in ``sizes``, in batches.
        """
        groups = defaultdict(list)
        for i, size in enumerate(sizes):
            groups[self.batch_key(*size)].append(i)
        batches = []
        for (h, w), group in groups.items():
            n = most or min(max(BATCH_PIXELS // (h * w), 1), BATCH)
            n = n if self.batches else 1
            batches += [group[i:i + n] for i in range(0, len(group), n)]
        return batches

    def check_memory(self, height: int, width: int, name: str) -> None:
        """Refuses a large photo for which memory does not suffice.

        Args:
            height, width (int): Of the photo.
            name (str): Its name.

        Raises:
            ImageError: With the memory that it needs and that is free.
        """
        height, width = self.upscale * height, self.upscale * width
        if height * width <= WHOLE:
            return
        need = self.call_bytes(height, width) + (
            IMAGES * 4 * self.channels * height * width)
        free = free_memory(self.device)
        if need > free:
            raise ImageError(
                f"'{name}' has {height * width / 1e6:.1f} megapixels and "
                f'needs about {need / 2**30:.1f} GiB of memory, of which '
                f'{free / 2**30:.1f} GiB are free; make it smaller, use '
                '(smaller) tiles, --tile, or go on with --force.')

    def check_batch(self, images: Sequence[np.ndarray]) -> None:
        """Refuses photos that one batch cannot hold.

        Raises:
            DataError: If their sizes or channels do not fit.
        """
        for image in images:
            if image.ndim != 3 or image.shape[2] != self.channels \
                    or image.dtype != np.uint8 or not image.size:
                raise DataError(
                    f'an image array must be (height, width, {self.channels}) '
                    f'of uint8, but is {image.shape} of {image.dtype}.')
        if len({self.batch_key(*image.shape[:2]) for image in images}) > 1:
            raise DataError('photos of different sizes cannot be restored in '
                            'one batch.')

    def __call__(self, image: Union[str, Path, np.ndarray, Tensor], *,
                 sampler: Choice = None, steps: Optional[int] = None,
                 seed: Optional[int] = None, tile: Optional[Tile] = None,
                 callback: Optional[Callback] = None):
        """Restores one image.

        Args:
            image: A path; (H, W, C) uint8 BGR; or a tensor (C, H, W) or
                (B, C, H, W), RGB in [0, 1].
            sampler, steps, seed, tile, callback: See :meth:`restore_batch`.

        Returns:
            ndarray | Tensor: (H, W, C) uint8 BGR; or a tensor like the
            input's, clamped to [0, 1].

        Raises:
            ConfigError, DataError: If an option or the image cannot be used.
        """
        options = dict(sampler=sampler, steps=steps, seed=seed, tile=tile,
                       callback=callback)
        if isinstance(image, Tensor):
            return self.restore_tensor(image, **options)
        name = ''
        if not isinstance(image, np.ndarray):
            from ..io.photos import read_photo
            name, image = str(image), read_photo(image, self.channels)
        return self.restore_batch([image], [name], **options)[0]

    def restore_tensor(self, image: Tensor, **options) -> Tensor:
        """:meth:`__call__` for a tensor; models that need arrays refuse it.

        Raises:
            DataError: Always, here.
        """
        raise DataError(f'{self.name} restores arrays and files, not tensors.')
