"""Free memory and the memory use of network calls."""
import weakref
from contextlib import contextmanager
from typing import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ..errors import ImageError
from .host_memory import free_host_memory

#: Fraction of the free memory that a call may use, and side in pixels of the
#: crop on which memory use is measured.
FRACTION, PROBE = 0.5, 128

_costs: 'weakref.WeakKeyDictionary[nn.Module, float]' = \
    weakref.WeakKeyDictionary()


def free_memory(device: torch.device) -> int:
    """Return the number of bytes that this process can still allocate.

    On a CPU, this is the minimum of the available system memory and the memory
    remaining under the limits of a container.

    Args:
        device (torch.device): The device.
    """
    if device.type == 'cuda':
        cached = (torch.cuda.memory_reserved(device)
                  - torch.cuda.memory_allocated(device))
        return torch.cuda.mem_get_info(device)[0] + cached
    return free_host_memory()


def storages(tensors) -> set:
    """Return the storages of the tensors in nested lists and dicts."""
    return {x.untyped_storage() for x in tree_leaves(tensors)
            if isinstance(x, Tensor)}


class _AllocationTracker(TorchDispatchMode):
    """Dispatch mode that tracks the size of allocated storages."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self.known = weakref.WeakSet()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        # Do not count existing tensors or views of them.
        self.known.update(storages((args, kwargs)))
        result = func(*args, **(kwargs or {}))
        for storage in storages(result) - set(self.known):
            self.known.add(storage)
            self.now += storage.nbytes()
            weakref.finalize(storage, self._release, storage.nbytes())
        self.peak = max(self.peak, self.now)
        return result

    def _release(self, size: int) -> None:
        self.now -= size


def peak_allocation(call: Callable[[], Tensor],
                    device: torch.device) -> int:
    """Return the peak memory in bytes of tensors allocated by a call,
    including its result.

    Args:
        call: Function to measure; it runs once.
        device (torch.device): Device of the tensors.
    """
    if device.type == 'cuda':
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        call()
        return torch.cuda.max_memory_allocated(device) - before
    with _AllocationTracker() as tracker:
        call()
    return tracker.peak


def bytes_per_pixel(network: nn.Module, call: Callable[..., Tensor],
                    images: Sequence[Tensor], scale: int = 1) -> float:
    """Return the peak memory of a call in bytes per pixel of its images.

    Measured once per network, on a small crop of the first image.

    Args:
        network (nn.Module): The network of the call.
        call: ``(*images) -> Tensor``.
        images (Sequence[Tensor]): Its arguments, (B, C, H, W).
        scale (int): Scale factor from its arguments to its result, which has
            the size of the crop.
    """
    if network not in _costs:
        side = max(PROBE // scale, 1)
        parts = [image[:1, :, :side, :side] for image in images]
        with torch.inference_mode():
            peak = peak_allocation(lambda: call(*parts), parts[0].device)
        _costs[network] = peak / parts[0][0, 0].numel()
    return _costs[network]


def pixels_that_fit(network: nn.Module, call: Callable[..., Tensor],
                    images: Sequence[Tensor], scale: int = 1) -> int:
    """Return the number of pixels that fit into a call's share of the free
    memory; for the arguments, see :func:`bytes_per_pixel`."""
    return int(FRACTION * free_memory(images[0].device)
               / bytes_per_pixel(network, call, images, scale))


@contextmanager
def memory_errors() -> Iterator[None]:
    """Convert out-of-memory errors to :class:`ImageError`.

    The message does not name the image.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        # On CPUs, torch raises a plain RuntimeError.
        if not isinstance(error, (MemoryError, torch.OutOfMemoryError)) and (
                'allocate memory' not in str(error)):
            raise
        raise ImageError('needs more memory than is free; resize it or use '
                         'smaller tiles (--tile).') from None
