"""Images of almost the same size in one batch, each as if it were alone."""
from typing import Iterator, List, Optional, Sequence, Tuple

import torch
from torch import Tensor, nn

from ..networks.blocks import pad_to_multiple
from ..sde.base import SDE, Generators, Time, draw_noise


def one_each(generator: Generators, n: int) -> Sequence[torch.Generator]:
    """A source of noise for each of n images."""
    return generator if isinstance(generator, list) else [generator] * n


class PaddedBatch:
    """Padding of a batch whose images differ in size.

    A network pads an image to a multiple of its divisor. Images that this
    brings to the same size can be restored together: before each call every
    image is padded in the way of the network, which then adds nothing, and
    noise is drawn at the size of the image. So each gets the result that it
    would get alone.

    Args:
        sizes (Sequence[tuple[int, int]]): Height and width of each image.
        network (nn.Module): With ``divisor`` and ``pad_mode``.
        generators (Sequence[torch.Generator]): Each image's source of noise.
    """

    def __init__(self, sizes: Sequence[Tuple[int, int]], network: nn.Module,
                 generators: Sequence[torch.Generator]) -> None:
        self.sizes = sizes
        self.network = network
        self.generators = generators

    def images(self, batch: Tensor) -> List[Tensor]:
        """The images (1, C, h, w), without what lies beyond them."""
        return [image[None, :, :h, :w]
                for image, (h, w) in zip(batch, self.sizes)]

    def join(self, images: Sequence[Tensor]) -> Tensor:
        """Pads each image as the network would, and stacks them."""
        return torch.cat([pad_to_multiple(
            image, self.network.divisor, self.network.pad_mode)
            for image in images])

    def fill(self, batch: Tensor) -> Tensor:
        """Puts padding in the place of what lies beyond the images."""
        return self.join(self.images(batch))

    def start(self, sde: SDE, mu: Tensor,
              sigma: Optional[float]) -> Tuple[Tensor, Time]:
        """As :meth:`SDE.start`."""
        states, times = zip(*(
            sde.start(image, [generator], sigma)
            for image, generator in zip(self.images(mu), self.generators)))
        return self.join(states), times[0]

    def draws(self, mu: Tensor) -> Iterator[Tensor]:
        """The fresh noise of step after step."""
        while True:
            yield self.join([
                draw_noise(image, [generator]) for image, generator
                in zip(self.images(mu), self.generators)])
