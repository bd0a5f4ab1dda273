"""Models whose network is shown large images in tiles."""
import math
from functools import partial
from typing import Callable, Optional, Sequence, Tuple, Union
from weakref import WeakKeyDictionary

import torch
from mmagic.models.base_models import BaseEditModel
from mmagic.structures import DataSample
from torch import Tensor, nn

from ...errors import ConfigError
from ...memory import free_memory, peak_allocation
from ...registry import MODELS
from .fast_calls import FastCalls
from .tiling import Tiling, tiled

#: Up to this many pixels a call is made at once, if nothing else is said.
WHOLE = 2**20
#: Longest side of a tile where memory is not short, and the least to ask for.
SIDE, LEAST = 512, 128
#: Pixels that neighbours share: under 1.25 times the work with tiles of 384.
OVERLAP = 32
#: What is assumed of a network that has no ``divisor``.
DIVISOR = 16
#: Most tiles of a call on a GPU; a CPU is busy with one.
MOST_TILES = 8
#: Share of the free memory that a call may take, and side of the part of an
#: image that it is measured on.
SHARE, PROBE = 0.5, 128

_costs: 'WeakKeyDictionary[nn.Module, float]' = WeakKeyDictionary()


@MODELS.register_module()
class TiledEditModel(BaseEditModel):
    """mmagic's ``BaseEditModel`` for images of any size.

    When it tests, its network is shown large images in overlapping tiles. The
    weights have the names that they have in mmagic's model.

    Args:
        *args, **kwargs: :class:`BaseEditModel`'s. ``test_cfg`` may have
            ``tile``: 'auto' (default; above a megapixel, tiles as large as
            the free memory allows, of up to 512 pixels), 'off', or the
            longest side of a tile in pixels, at least 128; and ``inference``
            (dict), :class:`FastCalls`' arguments.

    Raises:
        ConfigError: If ``tile`` is none of these, or ``inference`` has other
            arguments.
    """

    #: How many times larger than its input the network's result is.
    enlarges = 1

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        tile = self.tile
        if tile not in ('auto', 'off') and not (
                isinstance(tile, int) and tile >= LEAST):
            raise ConfigError("tile has to be 'auto', 'off' or a side of at "
                              f'least {LEAST} pixels, but is {tile!r}.')
        try:
            self.fast = FastCalls(
                **(self.test_cfg or {}).get('inference') or {})
        except TypeError as error:
            raise ConfigError(f'test_cfg.inference: {error}.') from error

    @property
    def tile(self) -> Union[int, str]:
        """What ``test_cfg`` says of tiles."""
        return (self.test_cfg or {}).get('tile', 'auto')

    def forward_tensor(self, inputs: Tensor,
                       data_samples: Optional[DataSample] = None,
                       **kwargs) -> Tensor:
        """As :meth:`BaseEditModel.forward_tensor`."""
        if self.training:
            return self.call_network(self.generator, inputs, **kwargs)
        with self.fast.restoring():
            restored = self.call_network(self.generator, inputs, **kwargs)
        return restored.clone()  # a normal tensor

    def padded_size(self, height: int, width: int) -> Tuple[int, int]:
        """What an image of a size is padded to: those that this makes equal
        can be restored in one batch, each as if it were alone."""
        return height, width

    def call_network(self, network: nn.Module, *images: Tensor,
                     **kwargs) -> Tensor:
        """``network(*images, **kwargs)``, in tiles where they are to be.

        Args:
            network (nn.Module): One of the model's.
            *images (Tensor): What is cut, each (B, C, H, W).
            **kwargs: What every tile is given as it is.
        """
        call = partial(self.fast, network, **kwargs)
        tiling = None if self.training else self.tiling(network, call, images)
        return call(*images) if tiling is None else tiled(
            call, images, tiling)

    def tiling(self, network: nn.Module, call: Callable[..., Tensor],
               images: Sequence[Tensor]) -> Optional[Tiling]:
        """How the images of a call are cut; None: not at all."""
        b, _, h, w = images[0].shape
        auto, gpu = self.tile == 'auto', images[0].is_cuda
        if self.tile == 'off' or (
                auto and b * h * w * self.enlarges**2 <= WHOLE):
            return None
        divisor = getattr(network, 'divisor', DIVISOR)
        overlap = max(OVERLAP, 2 * divisor)
        fit = pixels_that_fit(network, call, images) if auto or gpu else 0
        side = (min(SIDE // self.enlarges, math.isqrt(fit)) if auto
                else self.tile // self.enlarges)
        side = max(side, overlap + 2 * divisor)
        if not auto and max(h, w) <= side:
            return None
        batch = min(max(fit // side**2, 1), MOST_TILES) if gpu else 1
        return Tiling(side, overlap, divisor, batch)


def bytes_per_pixel(network: nn.Module, call: Callable[..., Tensor],
                    images: Sequence[Tensor]) -> float:
    """What a call holds at its peak, for each pixel of its images.

    Measured once for each network, on a small part of the first image.

    Args:
        network (nn.Module): Whose call it is.
        call: ``(*images) -> Tensor``.
        images (Sequence[Tensor]): What it will be given, (B, C, H, W).
    """
    if network not in _costs:
        parts = [image[:1, :, :PROBE, :PROBE] for image in images]
        with torch.inference_mode():
            peak = peak_allocation(lambda: call(*parts), parts[0].device)
        _costs[network] = peak / parts[0][0, 0].numel()
    return _costs[network]


def pixels_that_fit(network: nn.Module, call: Callable[..., Tensor],
                    images: Sequence[Tensor]) -> int:
    """How many pixels a call's share of the free memory suffices for."""
    return int(SHARE * free_memory(images[0].device)
               / bytes_per_pixel(network, call, images))
