"""Several processes on CPUs, and what launchers tell them."""
import ctypes
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
from typing import MutableMapping

from .errors import ConfigError

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def join_processes(cfg) -> None:
    """Lets several processes work on CPUs, and again after one was lost.

    Reason: mmengine <= 0.10.7 asks for a CUDA device whatever the backend,
    unless the process group is there already; and see :func:`meeting`.

    Raises:
        ConfigError: If this process was not started by the launcher, or
            there are more processes than GPUs.
    """
    import torch
    gpus = torch.cuda.device_count()
    if gpus:
        here = int(os.environ.get('LOCAL_WORLD_SIZE', 1))
        if here > gpus:
            raise ConfigError(f'{here} processes want a GPU each, but there '
                              f'are {gpus}; start fewer.')
        if restarted():
            from mmengine.dist import init_dist
            init_dist(cfg.launcher, **cfg.get('env_cfg', {}).get(
                'dist_cfg', {}), **meeting())
        return
    try:
        if cfg.launcher == 'slurm':
            tell_torch_of_slurm(os.environ)
        # imported later, its default arguments would keep the group alive
        import torch.distributed.nn
        torch.distributed.init_process_group('gloo', **meeting())
    except (KeyError, ValueError) as error:
        tool = dict(slurm='slurm_train.sh, slurm_test.sh (srun)').get(
            cfg.launcher, 'dist_train.sh, dist_test.sh (torchrun)')
        raise ConfigError(f'--launcher {cfg.launcher} is for tools/{tool}: '
                          f'{error}') from error
    # some of mmagic's models have a wrapper of their own
    wrapper = cfg.get('model_wrapper_cfg') or dict(
        type='MMDistributedDataParallel')
    cfg.model_wrapper_cfg = dict(wrapper, device_ids=None,
                                 broadcast_buffers=False)


def tell_torch_of_slurm(environ: MutableMapping[str, str]) -> None:
    """What srun says to a process in the words of torchrun, as mmengine has
    it where there are GPUs.

    Raises:
        KeyError: If this process was not started by srun.
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
    """Has the kernel kill this process when its parent ends. Linux only.

    Reason: torchrun's workers are in sessions of their own; they would train
    on beside the run that is resumed, in the same folder. Data workers would
    look only every few seconds whether their owner is still there.
    """
    if sys.platform == 'linux':
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def restarted() -> bool:
    """Whether torchrun started this process again after one was lost."""
    return os.environ.get('TORCHELASTIC_RESTART_COUNT', '0') != '0'


def meeting() -> dict:
    """Where the processes of this attempt find each other: arguments of
    ``init_process_group``.

    Reason: torchrun keeps its store when it starts the processes again. One
    that is early would read the address of another's dead predecessor there,
    and wait for it in vain.

    Raises:
        ValueError: If this process was not started by a launcher.
    """
    from torch import distributed
    store, rank, world_size = next(distributed.rendezvous('env://'))
    attempt = os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')
    return dict(store=distributed.PrefixStore(f'attempt {attempt}', store),
                rank=rank, world_size=world_size)


def end_children() -> None:
    """Ends the child processes that Python ends on exit, before that.

    Reason: the exception that interrupts a loop holds its data workers, and
    the end of each would wait for the sample that it is at.
    """
    for child in multiprocessing.active_children():
        if child.daemon:
            child.terminate()


def leave_group() -> None:
    """Leaves the process group, if there is one, and ends its threads.

    Reason: a process that exits with gloo's threads still running may be
    aborted by C++ ("terminate called without an active exception"). They run
    as long as anything refers to the group, such as a wrapped model in a
    reference cycle.
    """
    torch = sys.modules.get('torch')
    if torch is not None and torch.distributed.is_available() \
            and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
        gc.collect()
