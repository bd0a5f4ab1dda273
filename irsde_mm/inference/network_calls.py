"""Network calls without gradients: in tiles, folded, compiled."""
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
#: Below this number of pixels a folded network takes longer: there the
#: number of operations counts, not memory.
SMALL = 2**15
#: Largest image, in pixels, that a call takes whole by default.
WHOLE = 2**20
#: Longest side of a tile where memory suffices, and the shortest to ask for.
SIDE, LEAST = 512, 128
#: Pixels that neighbours share: under 1.25 times the work with tiles of 384.
OVERLAP = 32
#: Assumed for a network without ``divisor``.
DIVISOR = 16
#: Most tiles of a call on a GPU; one keeps a CPU busy.
MOST_TILES = 8

Tile = Union[int, str]


def check_tile(tile: Tile) -> Tile:
    """The setting, if it is one.

    Raises:
        ConfigError: If it is neither 'auto', 'off' nor a possible side.
    """
    if tile not in ('auto', 'off') and not (
            isinstance(tile, int) and tile >= LEAST):
        raise ConfigError("tile must be 'auto', 'off' or a side of at "
                          f'least {LEAST} pixels, but is {tile!r}.')
    return tile


class NetworkCalls:
    """How a model calls its networks when it restores.

    Holds settings and compiled code; what belongs to one restoration is in a
    :class:`Session`, so that threads can share this object.

    Args:
        tile (int | str): 'auto' (above a megapixel, tiles of up to 512
            pixels as the free memory allows), 'off', or the longest side of a
            tile in pixels, at least 128.
        fold (bool): Whether to fold networks that can be
            (:meth:`ProcessNetwork.folded`); their weights stay as they are.
        compile (bool | str): Whether to call them through ``torch.compile``,
            or its mode; 'reduce-overhead' and 'max-autotune' use CUDA graphs.
            The first call takes up to a minute and a half; other sizes do
            not compile again. Without a compiler, a warning says so and
            networks are called as they are.
        autocast (str, optional): 'fp16' or 'bf16', with which results differ.
        enlarges (int): How many times larger than its input a network's
            output is.

    Raises:
        ConfigError: If an argument is out of its range.
    """

    def __init__(self, tile: Tile = 'auto', fold: bool = True,
                 compile: Union[bool, str] = False,
                 autocast: Optional[str] = None, enlarges: int = 1) -> None:
        if not isinstance(fold, bool):
            raise ConfigError('inference.fold must be True or False, not '
                              f'{fold!r}.')
        if not isinstance(compile, bool) and compile not in MODES:
            raise ConfigError('inference.compile must be True, False or one '
                              f'of {", ".join(MODES)}, not {compile!r}.')
        if autocast is not None and autocast not in DTYPES:
            raise ConfigError('inference.autocast must be one of '
                              f'{", ".join(DTYPES)}, not {autocast!r}.')
        self.tile = check_tile(tile)
        self.fold = fold
        self.mode = 'default' if compile is True else compile
        self.dtype = DTYPES.get(autocast)
        self.enlarges = enlarges
        self.compiled: Dict[nn.Module, Callable] = {}
        self.lock = threading.Lock()

    def __deepcopy__(self, memo: dict) -> 'NetworkCalls':
        """Settings alone: compiled code belongs to one model."""
        copied = object.__new__(type(self))
        copied.__dict__.update(self.__dict__, compiled={},
                               lock=threading.Lock())
        return copied

    @contextmanager
    def session(self, tile: Optional[Tile] = None) -> Iterator['Session']:
        """One restoration, during which weights do not change.

        Args:
            tile (int | str, optional): In place of the setting.
        """
        with torch.inference_mode():
            yield Session(self, self.tile if tile is None
                          else check_tile(tile))

    def once(self, network: nn.Module, *images: Tensor,
             **kwargs: Any) -> Tensor:
        """``network(*images, **kwargs)`` without preparation, in tiles where
        images are large."""
        call = partial(network, **kwargs)
        return self._cut(network, call, images, self.tile)

    def _cut(self, network: nn.Module, call: Callable[..., Tensor],
             images: Sequence[Tensor], tile: Tile) -> Tensor:
        tiling = self.tiling(network, call, images, tile)
        return call(*images) if tiling is None else tiled(
            call, images, tiling)

    def tiling(self, network: nn.Module, call: Callable[..., Tensor],
               images: Sequence[Tensor],
               tile: Optional[Tile] = None) -> Optional[Tiling]:
        """How the images of a call are cut; None for whole images."""
        tile = self.tile if tile is None else tile
        b, _, h, w = images[0].shape
        auto, gpu = tile == 'auto', images[0].is_cuda
        if tile == 'off' or (auto and b * h * w * self.enlarges**2 <= WHOLE):
            return None
        divisor = getattr(network, 'divisor', DIVISOR)
        overlap = max(OVERLAP, 2 * divisor)
        fit = pixels_that_fit(network, call, images) if auto or gpu else 0
        side = (min(SIDE // self.enlarges, math.isqrt(fit)) if auto
                else tile // self.enlarges)
        side = max(side, overlap + 2 * divisor)
        if not auto and max(h, w) <= side:
            return None
        batch = min(max(fit // side**2, 1), MOST_TILES) if gpu else 1
        return Tiling(side, overlap, divisor, batch)

    def compiled_call(self, network: nn.Module, ready: nn.Module) -> Callable:
        """``ready``, which ``network`` became for this restoration, through
        code that was compiled for an earlier one."""
        with self.lock:
            if network not in self.compiled:
                self.compiled[network] = torch.compile(
                    _called, mode=self.mode, dynamic=True)

        def call(*images: Tensor, **kwargs: Any) -> Tensor:
            # a number would be compiled in, again for each time
            tensors = {key: images[0].new_tensor([value])
                       if isinstance(value, (int, float)) else value
                       for key, value in kwargs.items()}
            try:
                return self.compiled[network](ready, *images, **tensors)
            except torch._dynamo.exc.TorchDynamoException as error:
                warnings.warn('networks are not compiled: '
                              f'{str(error).splitlines()[0]}', stacklevel=2)
                self.compiled[network] = _called
                return ready(*images, **kwargs)

        return call


class Session:
    """The network calls of one restoration.

    Networks are folded, and the times of a trajectory embedded, once a
    session.

    Args:
        calls (NetworkCalls): Settings.
        tile (int | str): See :class:`NetworkCalls`.
    """

    def __init__(self, calls: NetworkCalls, tile: Tile) -> None:
        self.calls = calls
        self.tile = tile
        self.ready: Dict[Tuple[nn.Module, bool], Callable] = {}
        self.times: Dict[nn.Module, List[float]] = {}

    def trajectory(self, network: nn.Module, times: Iterable[Any]) -> None:
        """Announces the times of the next calls, so that their embeddings
        are computed together."""
        times = [t for t in times if isinstance(t, (int, float))]
        if times and isinstance(network, ProcessNetwork):
            self.times[network] = times
            for small in (True, False):
                self.ready.pop((network, small), None)

    def __call__(self, network: nn.Module, *images: Tensor,
                 **kwargs: Any) -> Tensor:
        """``network(*images, **kwargs)``, in tiles where images are large.

        Args:
            network (nn.Module): One of the model's.
            *images (Tensor): What is cut, each (B, C, H, W).
            **kwargs: What every tile gets as it is.
        """
        call = partial(self._whole, network, **kwargs)
        return self.calls._cut(network, call, images, self.tile)

    def _whole(self, network: nn.Module, *images: Tensor,
               **kwargs: Any) -> Tensor:
        small = images[0].shape[2:].numel() < SMALL
        if (network, small) not in self.ready:
            self.ready[network, small] = self._prepared(network, small)
        call, dtype = self.ready[network, small], self.calls.dtype
        if dtype is None:
            return call(*images, **kwargs)
        with torch.autocast(images[0].device.type, dtype):
            return call(*images, **kwargs).to(images[0].dtype)

    def _prepared(self, network: nn.Module, small: bool) -> Callable:
        calls = self.calls
        if not isinstance(network, ProcessNetwork):
            return calls.compiled_call(network, network) \
                if calls.mode else network
        ready = network
        # on CPUs a folded network is float32 throughout
        cpu = next(network.parameters()).device.type == 'cpu'
        if calls.fold and (calls.mode or not small) and not (
                calls.dtype and cpu):
            ready = network.folded()
        if calls.mode:
            return calls.compiled_call(network, ready)
        times = self.times.get(network)
        return ready.with_times(times) if times else ready


def _called(network: nn.Module, *images: Tensor, **kwargs: Any) -> Tensor:
    return network(*images, **kwargs)
