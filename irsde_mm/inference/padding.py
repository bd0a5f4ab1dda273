"""Batches of images that differ in size."""
from dataclasses import replace
from typing import Any, Callable, Iterator, List, Optional, Sequence, Tuple

import torch
from torch import Tensor, nn

from ..networks.blocks import pad_to_multiple
from ..sde.base import SDE, Generators, Time, draw_noise
from .progress import Progress


def one_per_image(generator: Generators,
                  n: int) -> Sequence[torch.Generator]:
    """Return a list with one noise generator per image, for n images."""
    return generator if isinstance(generator, list) else [generator] * n


def one_by_one(restore: Callable[..., Tensor], inputs: Tensor,
               sizes: Sequence[Tuple[int, int]],
               callback: Optional[Callable[[Progress], Any]],
               **options: Any) -> Tensor:
    """Restore images that cannot share a batch.

    Args:
        restore: Function for a batch without padding.
        inputs (Tensor): Images (B, C, H, W), padded to the largest.
        sizes: Height and width of each.
        callback: See :meth:`ImagePipeline.restore_batch`.
        **options: Arguments of ``restore``, lists with one item per image or
            values for all images.

    Returns:
        Tensor: Restored images, padded with zeros.
    """
    restored = torch.zeros_like(inputs)
    for i, (h, w) in enumerate(sizes):
        def report(progress: Progress, i: int = i) -> None:
            callback(replace(progress, photos=range(i, i + 1)))

        restored[i:i + 1, :, :h, :w] = restore(
            inputs[i:i + 1, :, :h, :w], callback=callback and report, **{
                key: value[i:i + 1] if isinstance(value, list) else value
                for key, value in options.items()})
    return restored


class PaddedBatch:
    """Padding for a batch of images that differ in size.

    A network pads images to a multiple of its divisor. Images whose padded
    sizes are equal can be restored together: before each call, every image is
    padded as the network would pad it, and noise is drawn at the size of the
    image. Each image therefore gets the same result as on its own.

    Args:
        sizes (Sequence[tuple[int, int]]): Height and width of each image.
        network (nn.Module): Network with ``divisor`` and ``pad_mode``.
        generators (Sequence[torch.Generator]): Noise generator of each image.
    """

    def __init__(self, sizes: Sequence[Tuple[int, int]], network: nn.Module,
                 generators: Sequence[torch.Generator]) -> None:
        self.sizes = sizes
        self.network = network
        self.generators = generators

    def images(self, batch: Tensor) -> List[Tensor]:
        """Return the images (1, C, h, w) without padding."""
        return [image[None, :, :h, :w]
                for image, (h, w) in zip(batch, self.sizes)]

    def join(self, images: Sequence[Tensor]) -> Tensor:
        """Pad each image as the network would, and concatenate them."""
        return torch.cat([pad_to_multiple(
            image, self.network.divisor, self.network.pad_mode)
            for image in images])

    def fill(self, batch: Tensor) -> Tensor:
        """Replace the area outside the images with padding."""
        return self.join(self.images(batch))

    def start(self, sde: SDE, mu: Tensor,
              sigma: Optional[float]) -> Tuple[Tensor, Time]:
        """Return the padded start states and their time, see
        :meth:`SDE.start`."""
        states, times = zip(*(
            sde.start(image, [generator], sigma)
            for image, generator in zip(self.images(mu), self.generators)))
        return self.join(states), times[0]

    def draws(self, mu: Tensor) -> Iterator[Tensor]:
        """Yield the fresh noise of each step."""
        while True:
            yield self.join([
                draw_noise(image, [generator]) for image, generator
                in zip(self.images(mu), self.generators)])
