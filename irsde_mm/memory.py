"""How much memory there is, and how much a network call takes."""
import weakref
from pathlib import Path
from typing import Callable

import psutil
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

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
            if isinstance(x, torch.Tensor)}


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


def peak_allocation(call: Callable[[], torch.Tensor],
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
