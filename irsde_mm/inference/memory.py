"""Free memory and the memory use of network calls."""
import weakref
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator, Sequence

import psutil
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ..errors import ImageError

#: Fraction of the free memory that a call may use, and side in pixels of the
#: crop on which memory use is measured.
FRACTION, PROBE = 0.5, 128

_costs: 'weakref.WeakKeyDictionary[nn.Module, float]' = \
    weakref.WeakKeyDictionary()

CGROUPS = Path('/sys/fs/cgroup')
# files with the limit and the usage, and the reclaimable entry of memory.stat
CGROUP_FILES = (('memory.max', 'memory.current', 'inactive_file'),
                ('memory.limit_in_bytes', 'memory.usage_in_bytes',
                 'total_inactive_file'))


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
    return min([psutil.virtual_memory().available,
                *container_memory(CGROUPS, Path('/proc/self/cgroup'))])


def container_memory(root: Path, membership: Path) -> list:
    """Return the bytes remaining under each cgroup (v1 and v2) memory limit.

    Args:
        root (Path): Mount point of the control groups.
        membership (Path): The kernel's list of the process's control groups,
            lines of the form ``number:controllers:path``.
    """
    remaining = []
    lines = membership.read_text().split() if membership.is_file() else []
    for _, controllers, path in (line.split(':', 2) for line in lines
                                 if line.count(':') >= 2):
        if controllers not in ('', 'memory'):
            continue
        top = root / controllers
        group = top / path.strip('/')
        # Inside a container, the process's own group is the root.
        for folder in (group, *group.parents):
            remaining += _remaining(folder)
            if folder == top:
                break
    return remaining


def _remaining(folder: Path) -> list:
    """Return the bytes remaining under the limit of one control group, or an
    empty list without a limit."""
    for limit, usage, reclaimable in CGROUP_FILES:
        try:
            allowed = (folder / limit).read_text().strip()
            used = int((folder / usage).read_text())
            stat = dict(line.split() for line in (
                folder / 'memory.stat').read_text().splitlines())
        except OSError:
            continue
        if allowed != 'max':
            return [max(
                int(allowed) - used + int(stat.get(reclaimable, 0)), 0)]
    return []


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
                    images: Sequence[Tensor]) -> float:
    """Return the peak memory of a call in bytes per pixel of its images.

    Measured once per network, on a small crop of the first image.

    Args:
        network (nn.Module): The network of the call.
        call: ``(*images) -> Tensor``.
        images (Sequence[Tensor]): Its arguments, (B, C, H, W).
    """
    if network not in _costs:
        parts = [image[:1, :, :PROBE, :PROBE] for image in images]
        with torch.inference_mode():
            peak = peak_allocation(lambda: call(*parts), parts[0].device)
        _costs[network] = peak / parts[0][0, 0].numel()
    return _costs[network]


def pixels_that_fit(network: nn.Module, call: Callable[..., Tensor],
                    images: Sequence[Tensor]) -> int:
    """Return the number of pixels that fit into a call's share of the free
    memory."""
    return int(FRACTION * free_memory(images[0].device)
               / bytes_per_pixel(network, call, images))


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
