"""Network calls on overlapping tiles with bounded memory."""
import math
from dataclasses import dataclass
from itertools import product
from typing import Callable, List, Sequence, Tuple

import torch
from torch import Tensor


@dataclass(frozen=True)
class Tiling:
    """Layout of the tiles of a call.

    Args:
        side (int): Maximum side of a tile in pixels, at least
            ``overlap + 2 * divisor``.
        overlap (int): Minimum overlap of neighboring tiles in pixels.
        divisor (int): Tiles start at multiples of this number, to stay aligned
            with the grid of the network's downsampling.
        batch (int): Maximum number of tiles per call.
    """

    side: int
    overlap: int
    divisor: int
    batch: int = 1

    def axis(self, length: int) -> Tuple[int, List[int]]:
        """Return the side and the start positions of tiles along one axis.

        The tiles are as few as the maximum side allows, equally long and
        evenly spaced.
        """
        if length <= self.side:
            return length, [0]
        d = self.divisor
        # Choose the side so that the last tile also starts at a multiple of d.
        side = self.side - (self.side - length) % d
        rest = (length - side) // d
        n = math.ceil(rest / ((side - self.overlap) // d))
        while d * math.ceil((rest + 1) / n) + self.overlap <= side - d:
            side, rest = side - d, rest + 1
        return side, [d * (rest * i // n) for i in range(n + 1)]


def windows(length: int, side: int, starts: Sequence[int],
            overlap: int) -> Tensor:
    """Return blending weights of tiles along one axis.

    The weights fall off as a raised cosine over each overlap and sum to 1 at
    every pixel.

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
    """Call a network on overlapping tiles and blend the results.

    A sampler keeps one state and one noise field for the whole image and tiles
    only the network calls. Blending tiles that were sampled separately would
    average independent samples.

    Args:
        network: ``(*tiles) -> Tensor`` for tiles (N, C, h, w); its result may
            be larger by an integer factor s.
        images (Sequence[Tensor]): Its arguments, each (B, C, H, W).
        tiling (Tiling): Layout of the tiles.

    Returns:
        Tensor: The blended results, (B, C', H * s, W * s).
    """
    b, _, height, width = images[0].shape
    (h, ys), (w, xs) = tiling.axis(height), tiling.axis(width)
    tiles = list(product(range(b), range(len(ys)), range(len(xs))))
    output = rows = columns = None
    for first in range(0, len(tiles), tiling.batch):
        batch = tiles[first:first + tiling.batch]
        results = network(*(torch.cat([
            image[n:n + 1, :, ys[i]:ys[i] + h, xs[j]:xs[j] + w]
            for n, i, j in batch]) for image in images))
        if output is None:
            s = results.shape[-1] // w
            output = results.new_zeros(b, results.shape[1], height * s,
                                       width * s)
            rows, columns = (windows(
                s * length, s * side, [s * start for start in starts],
                s * tiling.overlap).to(output)
                for length, side, starts in ((height, h, ys), (width, w, xs)))
        for result, (n, i, j) in zip(results, batch):
            output[n, :, ys[i] * s:(ys[i] + h) * s,
                   xs[j] * s:(xs[j] + w) * s].addcmul_(
                       result, rows[i, :, None] * columns[j])
    return output
