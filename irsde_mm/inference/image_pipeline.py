"""Base class of image restoration models."""
from abc import ABC, abstractmethod
from collections import defaultdict
from pathlib import Path
from typing import Any, Callable, List, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from torch import Tensor

from ..errors import ConfigError, DataError, ImageError
from ..samplers.base import Sampler
from .data_consistency import DataConsistency, data_consistency
from .crispness import Dial
from .intervals import Calibration
from .memory import free_memory
from .network_calls import MAX_WHOLE_PIXELS, Tile
from .progress import Progress

#: Default maximum of pixels and images per batch.
BATCH_PIXELS, BATCH_IMAGES = 2**20, 16
#: Exclusive upper limit of seeds. Torch accepts 64 bits, and draw indices are
#: added to a seed.
SEED_LIMIT = 2**63
#: Number of image-sized tensors held by a sampler, preprocessing and
#: postprocessing.
IMAGE_TENSORS = 10

Callback = Callable[[Progress], Any]
Choice = Union[None, str, dict, Sampler]
Size = Tuple[int, int]
Start = Tuple[Tensor, int]


def check_seed(seed: Optional[int]) -> None:
    """Check that a seed is valid.

    Raises:
        ConfigError: If it is not an integer from 0 to 2^63 - 1.
    """
    if seed is not None and (type(seed) is not int
                             or not 0 <= seed < SEED_LIMIT):
        raise ConfigError(f'seed={seed!r} must be an integer from 0 to '
                          '2**63 - 1.')


class ImagePipeline(ABC):
    """Base class of models that restore images.

    Attributes:
        channels (int): Channels of the images, 1 or 3.
        upscale (int): Scale factor from an image to its result.
        self_ensemble (int): Flipped copies of an image that each network call
            is averaged over, see :func:`mean_over_flips`.
        sampler (Sampler, optional): Sampler of a diffusion model.
    """

    channels = 3
    upscale = 1
    self_ensemble = 1
    sampler: Optional[Sampler] = None
    #: Configs of the transforms that degraded the training images.
    degradation: Sequence[dict] = ()
    #: Measured errors for intervals, see tools/calibrate.py.
    calibration: Optional[Calibration] = None

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Device of the networks."""

    @abstractmethod
    def restore_batch(self, images: Sequence[np.ndarray],
                      names: Optional[Sequence[str]] = None, *,
                      sampler: Choice = None, steps: Optional[int] = None,
                      seed: Optional[int] = None, draw: int = 0,
                      start: Optional[Start] = None,
                      tile: Optional[Tile] = None,
                      crispness: Optional[float] = None,
                      data_consistency: Any = None,
                      callback: Optional[Callback] = None
                      ) -> List[np.ndarray]:
        """Restore a batch of images, each independently of the others.

        Args:
            images: (H, W, C) uint8 BGR, all with the same :meth:`batch_key`.
            names: Their paths, which seed the noise; '' by default.
            sampler, steps: See :meth:`choose_sampler`.
            seed (int, optional): Seed of the noise, from 0 to 2^63 - 1. By
                default, the noise depends on the model's seed and the names.
            draw (int): Index of the result for a seed, from 0; draw i is the
                first result of ``seed + i``.
            start: ``(xt, t)``, states (B, C, H, W) in the range of the
                process and their time, to use instead of the start of the
                process.
            tile (int | str, optional): See :class:`NetworkCalls`.
            crispness (float, optional): s from 0 to 1.5 in m + s (sample - m),
                where m is the mean of the possible images; 1 by default. If
                a single network call does not estimate m, it is the mean of
                5 draws, which takes 5 times as long.
            data_consistency: See :meth:`choose_consistency`.
            callback: Called with a :class:`Progress` at the start (step 0)
                and after every step.

        Returns:
            list[ndarray]: Restored images, (H, W, C) uint8 BGR.

        Raises:
            ConfigError, DataError: If an option or an image is invalid.
        """

    @abstractmethod
    def call_bytes(self, height: int, width: int) -> int:
        """Return the peak memory in bytes of a network call for an image of
        this size at the network's input."""

    def choose_sampler(self, sampler: Choice = None,
                       steps: Optional[int] = None) -> Optional[Sampler]:
        """Return the sampler to use for the given options.

        Args:
            sampler: A preset, a name in ``SAMPLERS`` (with the steps and clamp
                of the model's sampler), a sampler config, or a sampler. By
                default, the model's sampler.
            steps (int, optional): Number of steps, equal to the number of
                network calls.

        Raises:
            ConfigError: If the model has no sampler, the sampler is unknown,
                or the number of steps is not supported.
        """
        if sampler is not None or steps is not None:
            raise ConfigError(f'{self.name} is not a diffusion model and does '
                              'not support the options sampler and steps.')
        return None

    def choose_consistency(self, value: Any = None
                           ) -> Optional[DataConsistency]:
        """Return the settings of data consistency for an option.

        Args:
            value: See :func:`data_consistency`; by default, the setting of
                the model.

        Raises:
            ConfigError: If the option is invalid or not supported by the
                model.
        """
        if data_consistency(value) is not None:
            raise ConfigError(f'{self.name} is not a diffusion model and does '
                              'not support data_consistency.')
        return None

    @property
    def name(self) -> str:
        """Name of the model type, for messages."""
        return type(self).__name__

    def choose_dial(self, crispness: Optional[float] = None,
                    sampler: Optional[Sampler] = None,
                    t: Optional[int] = None) -> Optional[Dial]:
        """Return the dial for a crispness, see
        :func:`crispness.choose_dial`."""
        if crispness is not None:
            raise ConfigError(f'{self.name} is not a diffusion model and does '
                              'not support the option crispness.')
        return None

    def trajectories(self, crispness: Optional[float] = None,
                     sampler: Optional[Sampler] = None,
                     t: Optional[int] = None) -> int:
        """Return the number of trajectories per draw of an image."""
        dial = self.choose_dial(crispness, sampler, t)
        return dial.draws if dial else 1

    def max_calls(self, sampler: Optional[Sampler]) -> int:
        """Return the maximum number of network calls per trajectory."""
        return 1

    def padded_size(self, height: int, width: int) -> Size:
        """Return the size to which the network pads an image."""
        return height, width

    #: Whether images with the same :meth:`batch_key` can share a batch.
    batches = True

    def batch_key(self, height: int, width: int) -> Size:
        """Return a key that is equal for sizes that can share a batch."""
        return self.padded_size(self.upscale * height, self.upscale * width)

    def in_batches(self, sizes: Sequence[Size],
                   max_images: Optional[int] = None) -> List[List[int]]:
        """Group images of (almost) the same size into batches.

        Args:
            sizes: Height and width of each image.
            max_images (int, optional): Maximum number of images per batch; by
                default, as many as make up a megapixel, at most 16.

        Returns:
            list[list[int]]: Indices into ``sizes``, one list per batch.
        """
        groups = defaultdict(list)
        for i, size in enumerate(sizes):
            groups[self.batch_key(*size)].append(i)
        batches = []
        for (h, w), group in groups.items():
            n = max_images or min(max(BATCH_PIXELS // (h * w), 1),
                                  BATCH_IMAGES)
            n = n if self.batches else 1
            batches += [group[i:i + n] for i in range(0, len(group), n)]
        return batches

    def check_memory(self, height: int, width: int, name: str) -> None:
        """Check that enough memory is free for a large image.

        Args:
            height, width (int): Size of the image.
            name (str): Its name.

        Raises:
            ImageError: If the image needs more memory than is free.
        """
        height, width = self.upscale * height, self.upscale * width
        if height * width <= MAX_WHOLE_PIXELS:
            return
        need = self.call_bytes(height, width) + (
            IMAGE_TENSORS * 4 * self.channels * height * width)
        free = free_memory(self.device)
        if need > free:
            raise ImageError(
                f"'{name}' has {height * width / 1e6:.1f} megapixels and "
                f'needs about {need / 2**30:.1f} GiB of memory, but only '
                f'{free / 2**30:.1f} GiB are free; resize it, use smaller '
                'tiles (--tile), or skip this check with --force.')

    def check_batch(self, images: Sequence[np.ndarray]) -> None:
        """Check that images are valid and can share a batch.

        Raises:
            DataError: If an array is invalid or the sizes are incompatible.
        """
        for image in images:
            if image.ndim != 3 or image.shape[2] != self.channels \
                    or image.dtype != np.uint8 or not image.size:
                raise DataError(
                    f'an image array must be (height, width, {self.channels}) '
                    f'of uint8, but got {image.shape} of {image.dtype}.')
        if len({self.batch_key(*image.shape[:2]) for image in images}) > 1:
            raise DataError('images of different sizes cannot share a batch; '
                            'group them with in_batches.')

    def __call__(self, image: Union[str, Path, np.ndarray, Tensor], *,
                 sampler: Choice = None, steps: Optional[int] = None,
                 seed: Optional[int] = None, tile: Optional[Tile] = None,
                 crispness: Optional[float] = None,
                 data_consistency: Any = None,
                 callback: Optional[Callback] = None):
        """Restore an image.

        Args:
            image: A path, an array (H, W, C) uint8 BGR, or a tensor (C, H, W)
                or (B, C, H, W), RGB in [0, 1].
            sampler, steps, seed, tile, crispness, data_consistency,
                callback: See
                :meth:`restore_batch`.

        Returns:
            ndarray | Tensor: (H, W, C) uint8 BGR, or, for a tensor, a tensor
            in the same format, clamped to [0, 1].

        Raises:
            ConfigError, DataError: If an option or the image is invalid.
        """
        options = dict(sampler=sampler, steps=steps, seed=seed, tile=tile,
                       crispness=crispness, data_consistency=data_consistency,
                       callback=callback)
        if isinstance(image, Tensor):
            return self.restore_tensor(image, **options)
        name = ''
        if not isinstance(image, np.ndarray):
            from ..io.photos import read_photo
            name, image = str(image), read_photo(image, self.channels)
        return self.restore_batch([image], [name], **options)[0]

    def restore_tensor(self, image: Tensor, **options) -> Tensor:
        """Restore a tensor, see :meth:`__call__`.

        Raises:
            DataError: If the model supports only arrays and files, as this
                base class does.
        """
        raise DataError(f'{self.name} does not support tensors; pass an array '
                        'or a path.')
