"""Free memory, and the memory that a network call takes."""
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

#: Share of the free memory that a call may take, and side in pixels of the
#: part of an image that its need is measured on.
SHARE, PROBE = 0.5, 128

_costs: 'weakref.WeakKeyDictionary[nn.Module, float]' = \
    weakref.WeakKeyDictionary()

CGROUPS = Path('/sys/fs/cgroup')
# limit, use, and the part of the use that is given up when asked for
CGROUP_FILES = (('memory.max', 'memory.current', 'inactive_file'),
                ('memory.limit_in_bytes', 'memory.usage_in_bytes',
                 'total_inactive_file'))


def free_memory(device: torch.device) -> int:
    """Bytes that this process may still take on a device.

    On a CPU what the system calls available, or what a container's limit
    leaves, whichever is less.
    """
    if device.type == 'cuda':
        cached = (torch.cuda.memory_reserved(device)
                  - torch.cuda.memory_allocated(device))
        return torch.cuda.mem_get_info(device)[0] + cached
    return min([psutil.virtual_memory().available,
                *container_memory(CGROUPS, Path('/proc/self/cgroup'))])


def container_memory(root: Path, membership: Path) -> list:
    """Bytes that each limit on this process (cgroups 1 and 2) leaves.

    Args:
        root (Path): Where the control groups are mounted.
        membership (Path): The kernel's list of this process' groups, lines
            ``number:controllers:path``.
    """
    left = []
    lines = membership.read_text().split() if membership.is_file() else []
    for _, controllers, path in (line.split(':', 2) for line in lines
                                 if line.count(':') >= 2):
        if controllers not in ('', 'memory'):
            continue
        top = root / controllers
        group = top / path.strip('/')
        # inside a container its own group is the root
        for folder in (group, *group.parents):
            left += _left(folder)
            if folder == top:
                break
    return left


def _left(folder: Path) -> list:
    """What the limit of one control group leaves, or nothing."""
    for limit, use, reclaimable in CGROUP_FILES:
        try:
            most = (folder / limit).read_text().strip()
            taken = int((folder / use).read_text())
            stat = dict(line.split() for line in (
                folder / 'memory.stat').read_text().splitlines())
        except OSError:
            continue
        if most != 'max':
            return [max(int(most) - taken + int(stat.get(reclaimable, 0)), 0)]
    return []


def storages(tensors) -> set:
    """What the tensors in a nest of lists and dicts lie in."""
    return {x.untyped_storage() for x in tree_leaves(tensors)
            if isinstance(x, Tensor)}


class _Held(TorchDispatchMode):
    """Adds up the storages that operations make and let go."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self.known = weakref.WeakSet()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        # what comes in from outside is not counted, nor views of it
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
    """Bytes of tensors that a call holds at its peak, its result included.

    Args:
        call: What makes the tensors; it is run once.
        device (torch.device): Where.
    """
    if device.type == 'cuda':
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        call()
        return torch.cuda.max_memory_allocated(device) - before
    with _Held() as held:
        call()
    return held.peak


def bytes_per_pixel(network: nn.Module, call: Callable[..., Tensor],
                    images: Sequence[Tensor]) -> float:
    """Bytes that a call holds at its peak, per pixel of its images.

    Measured once for each network, on a small part of the first image.

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
    """Number of pixels for which a call's share of the free memory
    suffices."""
    return int(SHARE * free_memory(images[0].device)
               / bytes_per_pixel(network, call, images))


@contextmanager
def memory_errors() -> Iterator[None]:
    """Raise :class:`ImageError`, without a name, if memory runs out."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        # on CPUs torch has no exception of its own
        if not isinstance(error, (MemoryError, torch.OutOfMemoryError)) and (
                'allocate memory' not in str(error)):
            raise
        raise ImageError('needs more memory than is free: make it smaller, or '
                         'use (smaller) tiles, --tile.') from None
