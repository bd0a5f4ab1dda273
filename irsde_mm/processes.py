"""Distributed processes on CPUs and the environment that launchers set."""
import ctypes
import functools
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import warnings
from typing import MutableMapping

from .errors import ConfigError

PR_SET_PDEATHSIG = 1  # linux/prctl.h
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # glibc's malloc.h


def join_processes(cfg) -> None:
    """Initialize the process group on CPUs, and after a restart by torchrun.

    mmengine <= 0.10.7 selects a CUDA device for every backend unless the
    process group already exists. For restarts, see
    :func:`rendezvous_arguments`.

    Args:
        cfg (Config): Config of the run. On CPUs, ``model_wrapper_cfg`` is set
            for CPU training.

    Raises:
        ConfigError: If the launcher did not start this process, or if there
            are more processes than GPUs.
    """
    import torch
    gpus = torch.cuda.device_count()
    if gpus:
        here = int(os.environ.get('LOCAL_WORLD_SIZE', 1))
        if here > gpus:
            raise ConfigError(f'{here} processes need a GPU each, but only '
                              f'{gpus} are available; start fewer processes.')
        if restarted():
            from mmengine.dist import init_dist
            init_dist(cfg.launcher, **cfg.get('env_cfg', {}).get(
                'dist_cfg', {}), **rendezvous_arguments())
        return
    try:
        if cfg.launcher == 'slurm':
            set_slurm_environ(os.environ)
        # if imported after the group exists, the default arguments of its
        # functions would keep the group alive
        import torch.distributed.nn
        torch.distributed.init_process_group('gloo', **rendezvous_arguments())
    except (KeyError, ValueError) as error:
        tool = dict(slurm='slurm_train.sh, slurm_test.sh (srun)').get(
            cfg.launcher, 'dist_train.sh, dist_test.sh (torchrun)')
        raise ConfigError(f'--launcher {cfg.launcher} requires tools/{tool}: '
                          f'{error}') from error
    # some of mmagic's models use their own wrapper
    wrapper = cfg.get('model_wrapper_cfg') or dict(
        type='MMDistributedDataParallel')
    cfg.model_wrapper_cfg = dict(wrapper, device_ids=None,
                                 broadcast_buffers=False)


def set_slurm_environ(environ: MutableMapping[str, str]) -> None:
    """Set torchrun's environment variables from Slurm's.

    mmengine does the same, but only on GPUs.

    Args:
        environ (MutableMapping): Environment, updated in place.

    Raises:
        KeyError: If srun did not start this process.
    """
    for name, of_slurm in (('RANK', 'SLURM_PROCID'),
                           ('WORLD_SIZE', 'SLURM_NTASKS'),
                           ('LOCAL_RANK', 'SLURM_LOCALID')):
        environ[name] = environ[of_slurm]
    hosts = subprocess.run(
        ['scontrol', 'show', 'hostnames', environ['SLURM_NODELIST']],
        check=True, capture_output=True, text=True).stdout.split()
    environ.setdefault('MASTER_ADDR', hosts[0])
    environ.setdefault('MASTER_PORT', '29500')


def end_with_parent() -> None:
    """Have the kernel kill this process when its parent exits (Linux only).

    torchrun's workers run in their own sessions. Without this, they would
    keep training in the same work directory as the resumed run. Data workers
    would check only every few seconds whether their parent is alive.
    """
    if sys.platform == 'linux':
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def restarted() -> bool:
    """Return True if torchrun restarted this process after a failure."""
    return os.environ.get('TORCHELASTIC_RESTART_COUNT', '0') != '0'


def rendezvous_arguments() -> dict:
    """Return the arguments of ``init_process_group`` for this attempt.

    torchrun keeps its store across restarts. Without a prefix per attempt, a
    process that restarts early would read the address of a peer from the
    previous attempt and wait for it forever.

    Raises:
        ValueError: If no launcher started this process.
    """
    from torch import distributed
    store, rank, world_size = next(distributed.rendezvous('env://'))
    attempt = os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')
    return dict(store=distributed.PrefixStore(f'attempt {attempt}', store),
                rank=rank, world_size=world_size)


@functools.cache
def join_store() -> tuple:
    """Meet the processes of torchrun or Slurm, without a process group.

    Returns:
        (store, rank, number, local rank): A store of torch.distributed, the
        number of this process, of all processes, and of this process on its
        machine.

    Raises:
        ConfigError: If no launcher started this process.
    """
    try:
        if 'RANK' not in os.environ and 'SLURM_PROCID' in os.environ:
            set_slurm_environ(os.environ)
        found = rendezvous_arguments()
    except (KeyError, ValueError) as error:
        raise ConfigError(
            '--engine torchrun requires tools/dist_restore.sh (torchrun) or '
            f'tools/slurm_restore.sh (srun): {error}') from error
    return (found['store'], found['rank'], found['world_size'],
            int(os.environ.get('LOCAL_RANK', 0)))


def end_children() -> None:
    """Terminate daemonic child processes without waiting for them.

    Python terminates them at exit. Before that, the exception that
    interrupted a loop releases its data workers, and shutting down each one
    would wait for the sample that it is loading.
    """
    for child in multiprocessing.active_children():
        if child.daemon:
            child.terminate()


def leave_group() -> None:
    """Destroy the process group, if there is one, and stop its threads.

    A process that exits while gloo's threads are running may be aborted by
    C++ ("terminate called without an active exception"). The threads run as
    long as anything references the group, such as a wrapped model in a
    reference cycle.
    """
    torch = sys.modules.get('torch')
    if torch is not None and torch.distributed.is_available() \
            and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
        gc.collect()


def keep_freed_memory() -> None:
    """Make glibc reuse freed memory for the next network call.

    By default, glibc returns large blocks to the kernel, and every page is
    faulted in again. For the quickstart network at 256x256 on a CPU, a call
    took 65 ms instead of 38 ms. Without glibc, this does nothing.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    for parameter in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD):
        mallopt(parameter, 2**30)


def plain_warnings() -> None:
    """Print warnings without the place in the code."""
    warnings.formatwarning = lambda message, *_, **__: f'warning: {message}\n'


def prepare_worker(threads: int) -> None:
    """Configure a worker process, which ends with its parent.

    Args:
        threads (int): Number of threads that torch uses.
    """
    import torch
    end_with_parent()
    # a Ctrl-C reaches all processes; the parent ends the others
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_freed_memory()
    plain_warnings()
    torch.set_num_threads(threads)
