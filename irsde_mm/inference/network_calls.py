"""Network calls for inference: tiled, folded and compiled."""
import math
import threading
import warnings
from contextlib import contextmanager
from functools import partial
from typing import (Any, Callable, Dict, Iterable, Iterator, List, Optional,
                    Sequence, Tuple, Union)

import torch
from torch import Tensor, nn

from ..errors import ConfigError
from ..networks import ProcessNetwork
from .memory import pixels_that_fit
from .tiling import Tiling, tiled

MODES = ('default', 'reduce-overhead', 'max-autotune',
         'max-autotune-no-cudagraphs')
DTYPES = dict(fp16=torch.float16, bf16=torch.bfloat16)
#: Below this number of pixels a folded network is slower, because there the
#: number of operations matters and not memory.
MIN_FOLD_PIXELS = 2**15
#: Maximum number of pixels that a call processes without tiles by default.
MAX_WHOLE_PIXELS = 2**20
#: Longest side of an automatic tile, and shortest side that can be set.
MAX_SIDE, MIN_SIDE = 512, 128
#: Overlap of neighboring tiles in pixels; with tiles of 384, it adds less than
#: 25 % of work.
OVERLAP = 32
#: Default for a network without ``divisor``.
DIVISOR = 16
#: Maximum number of tiles per call on a GPU; on a CPU it is 1.
MAX_TILES = 8

Tile = Union[int, str]


def check_tile(tile: Tile) -> Tile:
    """Return the tile setting after checking it.

    Raises:
        ConfigError: If it is not 'auto', 'off' or a valid side.
    """
    if tile not in ('auto', 'off') and not (
            isinstance(tile, int) and tile >= MIN_SIDE):
        raise ConfigError("tile must be 'auto', 'off' or a side of at "
                          f'least {MIN_SIDE} pixels, but got {tile!r}.')
    return tile


class NetworkCalls:
    """Settings for network calls at inference time.

    Holds settings and compiled code. The state of one restoration is in a
    :class:`Session`, so threads can share this object.

    Args:
        tile (int | str): 'auto' (above a megapixel, tiles of up to 512
            pixels as the free memory allows), 'off', or the longest side of a
            tile in pixels, at least 128.
        fold (bool): Whether to fold networks that support it
            (:meth:`ProcessNetwork.folded`); their weights are not modified.
        compile (bool | str): Whether to use ``torch.compile``, or its mode;
            'reduce-overhead' and 'max-autotune' use CUDA graphs. The first
            call takes up to 90 seconds; other sizes do not trigger
            recompilation. Without a compiler, a warning is issued and
            networks run uncompiled.
        autocast (str, optional): 'fp16' or 'bf16'; changes results.
        output_scale (int): Scale factor from a network's input to its output.

    Raises:
        ConfigError: If an argument is out of range.
    """

    def __init__(self, tile: Tile = 'auto', fold: bool = True,
                 compile: Union[bool, str] = False,
                 autocast: Optional[str] = None,
                 output_scale: int = 1) -> None:
        if not isinstance(fold, bool):
            raise ConfigError('inference.fold must be True or False, but got '
                              f'{fold!r}.')
        if not isinstance(compile, bool) and compile not in MODES:
            raise ConfigError('inference.compile must be True, False or one '
                              f'of {", ".join(MODES)}, but got {compile!r}.')
        if autocast is not None and autocast not in DTYPES:
            raise ConfigError('inference.autocast must be one of '
                              f'{", ".join(DTYPES)}, but got {autocast!r}.')
        self.tile = check_tile(tile)
        self.fold = fold
        self.mode = 'default' if compile is True else compile
        self.dtype = DTYPES.get(autocast)
        self.output_scale = output_scale
        self.compiled: Dict[nn.Module, Callable] = {}
        self.lock = threading.Lock()

    def __deepcopy__(self, memo: dict) -> 'NetworkCalls':
        """Copy the settings only, because compiled code belongs to a model."""
        copied = object.__new__(type(self))
        copied.__dict__.update(self.__dict__, compiled={},
                               lock=threading.Lock())
        return copied

    @contextmanager
    def session(self, tile: Optional[Tile] = None) -> Iterator['Session']:
        """Open a session for one restoration.

        The weights must not change during a session.

        Args:
            tile (int | str, optional): Overrides the setting.
        """
        with torch.inference_mode():
            yield Session(self, self.tile if tile is None
                          else check_tile(tile))

    def once(self, network: nn.Module, *images: Tensor,
             **kwargs: Any) -> Tensor:
        """Return ``network(*images, **kwargs)`` outside a session, with tiles
        for large images."""
        call = partial(network, **kwargs)
        return self.run_tiled(network, call, images, self.tile)

    def run_tiled(self, network: nn.Module, call: Callable[..., Tensor],
                  images: Sequence[Tensor], tile: Tile) -> Tensor:
        """Return ``call(*images)``, with tiles for large images."""
        tiling = self.tiling(network, call, images, tile)
        return call(*images) if tiling is None else tiled(
            call, images, tiling)

    def tiling(self, network: nn.Module, call: Callable[..., Tensor],
               images: Sequence[Tensor],
               tile: Optional[Tile] = None) -> Optional[Tiling]:
        """Return the tiling for the images of a call, or None for no tiles."""
        tile = self.tile if tile is None else tile
        b, _, h, w = images[0].shape
        auto, gpu = tile == 'auto', images[0].is_cuda
        if tile == 'off' or (auto and b * h * w * self.output_scale**2
                             <= MAX_WHOLE_PIXELS):
            return None
        divisor = getattr(network, 'divisor', DIVISOR)
        overlap = max(getattr(network, 'overlap', OVERLAP), 2 * divisor)
        fit = pixels_that_fit(network, call, images, self.output_scale
                              ) if auto or gpu else 0
        side = (min(MAX_SIDE // self.output_scale, math.isqrt(fit)) if auto
                else tile // self.output_scale)
        side = max(side, overlap + 2 * divisor)
        if not auto and max(h, w) <= side:
            return None
        batch = min(max(fit // side**2, 1), MAX_TILES) if gpu else 1
        return Tiling(side, overlap, divisor, batch)

    def compiled_call(self, network: nn.Module,
                      prepared: nn.Module) -> Callable:
        """Return a compiled call of ``prepared``, the network as prepared for
        this session. Code compiled in earlier sessions is reused."""
        with self.lock:
            if network not in self.compiled:
                self.compiled[network] = torch.compile(
                    _call, mode=self.mode, dynamic=True)

        def call(*images: Tensor, **kwargs: Any) -> Tensor:
            # Numbers would be compiled as constants, once per time.
            tensors = {key: images[0].new_tensor([value])
                       if isinstance(value, (int, float)) else value
                       for key, value in kwargs.items()}
            try:
                return self.compiled[network](prepared, *images, **tensors)
            except torch._dynamo.exc.TorchDynamoException as error:
                warnings.warn('networks are not compiled, because '
                              'torch.compile failed: '
                              f'{str(error).splitlines()[0]}', stacklevel=2)
                self.compiled[network] = _call
                return prepared(*images, **kwargs)

        return call


class Session:
    """Network calls of one restoration.

    Networks are folded and the times of a trajectory embedded once per
    session.

    Args:
        calls (NetworkCalls): The settings.
        tile (int | str): See :class:`NetworkCalls`.
    """

    def __init__(self, calls: NetworkCalls, tile: Tile) -> None:
        self.calls = calls
        self.tile = tile
        self.prepared: Dict[Tuple[nn.Module, bool], Callable] = {}
        self.times: Dict[nn.Module, List[float]] = {}

    def trajectory(self, network: nn.Module, times: Iterable[Any]) -> None:
        """Set the times of the next calls, so that their embeddings are
        computed together."""
        times = [t for t in times if isinstance(t, (int, float))]
        if times and isinstance(network, ProcessNetwork):
            self.times[network] = times
            for small in (True, False):
                self.prepared.pop((network, small), None)

    def __call__(self, network: nn.Module, *images: Tensor,
                 **kwargs: Any) -> Tensor:
        """Return ``network(*images, **kwargs)``, with tiles for large images.

        Args:
            network (nn.Module): A network of the model.
            *images (Tensor): Inputs to split into tiles, each (B, C, H, W).
            **kwargs: Arguments passed unchanged with every tile.
        """
        call = partial(self._call_prepared, network, **kwargs)
        return self.calls.run_tiled(network, call, images, self.tile)

    def _call_prepared(self, network: nn.Module, *images: Tensor,
                       **kwargs: Any) -> Tensor:
        small = images[0].shape[2:].numel() < MIN_FOLD_PIXELS
        if (network, small) not in self.prepared:
            self.prepared[network, small] = self._prepare(network, small)
        call, dtype = self.prepared[network, small], self.calls.dtype
        if dtype is None:
            return call(*images, **kwargs)
        with torch.autocast(images[0].device.type, dtype):
            return call(*images, **kwargs).to(images[0].dtype)

    def _prepare(self, network: nn.Module, small: bool) -> Callable:
        calls = self.calls
        if not isinstance(network, ProcessNetwork):
            return calls.compiled_call(network, network) \
                if calls.mode else network
        prepared = network
        # On CPUs, a folded network runs entirely in float32.
        cpu = next(network.parameters()).device.type == 'cpu'
        if calls.fold and (calls.mode or not small) and not (
                calls.dtype and cpu):
            prepared = network.folded()
        if calls.mode:
            return calls.compiled_call(network, prepared)
        times = self.times.get(network)
        return prepared.with_times(times) if times else prepared


def _call(network: nn.Module, *images: Tensor, **kwargs: Any) -> Tensor:
    return network(*images, **kwargs)
