"""A network's call in overlapping tiles, so that memory stays bounded."""
import math
from dataclasses import dataclass
from itertools import product
from typing import Callable, List, Sequence, Tuple

import torch
from torch import Tensor


@dataclass(frozen=True)
class Tiling:
    """How the images of a call are cut.

    Args:
        side (int): Longest side of a tile in pixels, at least
            ``overlap + 2 * divisor``.
        overlap (int): Pixels that neighbours share at least.
        divisor (int): Tiles begin at its multiples, as the pixels do that a
            network looks at together when it works at a lower resolution.
        batch (int): Most tiles of a call.
    """

    side: int
    overlap: int
    divisor: int
    batch: int = 1

    def axis(self, length: int) -> Tuple[int, List[int]]:
        """Side and first pixels of the tiles along one axis.

        As few as the longest side allows, of equal length, spread evenly.
        """
        if length <= self.side:
            return length, [0]
        d = self.divisor
        # so long that the last one, too, begins at a multiple of d
        side = self.side - (self.side - length) % d
        rest = (length - side) // d
        n = math.ceil(rest / ((side - self.overlap) // d))
        while d * math.ceil((rest + 1) / n) + self.overlap <= side - d:
            side, rest = side - d, rest + 1
        return side, [d * (rest * i // n) for i in range(n + 1)]


def windows(length: int, side: int, starts: Sequence[int],
            overlap: int) -> Tensor:
    """Each tile's weights along one axis, which add up to 1 at every pixel.

    A raised cosine falls off over the overlap, where there is a neighbour.

    Returns:
        Tensor: (number of tiles, side).
    """
    overlap = min(overlap, side)
    ramp = torch.sin((torch.arange(overlap) + 0.5) / overlap * math.pi / 2)**2
    weights = torch.ones(len(starts), side)
    weights[1:, :overlap] *= ramp
    weights[:-1, side - overlap:] *= ramp.flip(0)
    total = torch.zeros(length)
    for start, weight in zip(starts, weights):
        total[start:start + side] += weight
    return torch.stack([weight / total[start:start + side]
                        for start, weight in zip(starts, weights)])


def tiled(network: Callable[..., Tensor], images: Sequence[Tensor],
          tiling: Tiling) -> Tensor:
    """What a network makes of whole images, called on their tiles.

    Between the steps of a sampler there is one state and one noise field;
    only the network sees tiles, and what it says of a pixel of two tiles is
    blended. Averaging tiles that were sampled apart would
    average draws.

    Args:
        network: ``(*tiles) -> Tensor``, of tiles (N, C, h, w); its result may
            be a whole number of times larger.
        images (Sequence[Tensor]): Its arguments, each (B, C, H, W).
        tiling (Tiling): How to cut.

    Returns:
        Tensor: The results put together, (B, C', H * s, W * s).
    """
    b, _, height, width = images[0].shape
    (h, ys), (w, xs) = tiling.axis(height), tiling.axis(width)
    places = list(product(range(b), range(len(ys)), range(len(xs))))
    whole = rows = columns = None
    for first in range(0, len(places), tiling.batch):
        some = places[first:first + tiling.batch]
        results = network(*(torch.cat([
            image[n:n + 1, :, ys[i]:ys[i] + h, xs[j]:xs[j] + w]
            for n, i, j in some]) for image in images))
        if whole is None:
            s = results.shape[-1] // w
            whole = results.new_zeros(b, results.shape[1], height * s,
                                      width * s)
            rows, columns = (windows(
                s * length, s * side, [s * start for start in starts],
                s * tiling.overlap).to(whole)
                for length, side, starts in ((height, h, ys), (width, w, xs)))
        for result, (n, i, j) in zip(results, some):
            whole[n, :, ys[i] * s:(ys[i] + h) * s,
                  xs[j] * s:(xs[j] + w) * s].addcmul_(
                      result, rows[i, :, None] * columns[j])
    return whole
