"""Signal handling and shutdown of data workers."""
import multiprocessing
import os
import signal
import threading
from typing import Iterable, Optional, Sequence

from torch.utils.data import DataLoader

from ..processes import end_with_parent
from ..registry import FUNCTIONS

GRACE_PERIOD = 1.  # seconds for a worker to finish its current sample


@FUNCTIONS.register_module()
def leave_signals_to_owner(worker_id: int) -> None:
    """Make a data worker ignore signals that its parent process handles.

    SIGTERM and SIGINT go to a whole process group or job, but the current
    iteration still needs data before it can be finished and saved. Use this
    function as ``worker_init_fn``.

    SIGTERM from the parent process ends the worker at once, as with PyTorch's
    own handler, because the dataloader and Python's exit rely on it. Where the
    system does not report the sender of a signal (macOS), SIGTERM from any
    process ends it.

    Args:
        worker_id (int): Passed by the dataloader.
    """
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, 'sigwaitinfo'):
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        threading.Thread(
            target=_exit_on_sigterm, daemon=True,
            args=(multiprocessing.parent_process().pid, )).start()


def _exit_on_sigterm(parent: int) -> None:
    """Exit on SIGTERM from the given process; ignore it from others."""
    while signal.sigwaitinfo([signal.SIGTERM]).si_pid != parent:
        pass
    os._exit(0)


def end_workers(loaders: Iterable[DataLoader],
                iterator: Optional[object] = None) -> None:
    """Shut down the workers and pin-memory threads of dataloaders.

    A dataloader with ``persistent_workers`` keeps its iterator and thus its
    workers. Its next iterator starts new ones.

    Args:
        loaders (Iterable[DataLoader]): Dataloaders whose own iterators are
            shut down.
        iterator (Iterator, optional): Another iterator to shut down.
    """
    found = [iterator]
    for loader in loaders:
        found.append(getattr(loader, '_iterator', None))
        if found[-1] is not None:
            loader._iterator = None
    for iterator in found:
        if hasattr(iterator, '_shutdown_workers'):
            # otherwise it waits 5 s for each worker that is busy
            timer = threading.Timer(GRACE_PERIOD, _terminate,
                                    [iterator._workers])
            timer.start()
            try:
                iterator._shutdown_workers()
            finally:
                timer.cancel()


def _terminate(workers: Sequence[multiprocessing.Process]) -> None:
    for worker in workers:
        worker.terminate()
