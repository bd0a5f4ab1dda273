"""Free memory of the system, or of its container."""
from pathlib import Path

import psutil

CGROUPS = Path('/sys/fs/cgroup')
# files with the limit and the usage, and the reclaimable entry of memory.stat
CGROUP_FILES = (('memory.max', 'memory.current', 'inactive_file'),
                ('memory.limit_in_bytes', 'memory.usage_in_bytes',
                 'total_inactive_file'))


def free_host_memory() -> int:
    """Return the number of bytes that this process can still allocate.

    The minimum of the available system memory and the memory remaining under
    the limits of a container.
    """
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
