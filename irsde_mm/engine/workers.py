"""Data workers that leave signals to their owner, and end with it."""
import multiprocessing
import os
import signal
import threading
from typing import Iterable, Optional, Sequence

from torch.utils.data import DataLoader

from ..processes import end_with_parent
from ..registry import FUNCTIONS

PATIENCE = 1.  # seconds in which a worker may finish the sample that it is at


@FUNCTIONS.register_module()
def leave_signals_to_owner(worker_id: int) -> None:
    """A ``worker_init_fn``: SIGTERM and SIGINT go to a whole group or job, but
    the iteration that is to be finished and saved still needs its data.

    SIGTERM from the owner ends the worker at once, as with PyTorch's own
    handler: the dataloader and Python's exit rely on that. Where the system
    does not say who sent a signal (macOS), SIGTERM from anyone does.

    Args:
        worker_id (int): From the dataloader.
    """
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, 'sigwaitinfo'):
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        threading.Thread(
            target=_exit_on_sigterm, daemon=True,
            args=(multiprocessing.parent_process().pid, )).start()


def _exit_on_sigterm(owner: int) -> None:
    """Waits for a SIGTERM from one process and ignores those of others."""
    while signal.sigwaitinfo([signal.SIGTERM]).si_pid != owner:
        pass
    os._exit(0)


def end_workers(loaders: Iterable[DataLoader],
                iterator: Optional[object] = None) -> None:
    """Ends the workers and the pin-memory threads of dataloaders.

    A dataloader with ``persistent_workers`` keeps its iterator, and with it
    the workers. The next iterator starts new ones.

    Args:
        loaders (Iterable[DataLoader]): Whose own iterators are ended.
        iterator (Iterator, optional): Another one to end.
    """
    found = [iterator]
    for loader in loaders:
        found.append(getattr(loader, '_iterator', None))
        if found[-1] is not None:
            loader._iterator = None
    for iterator in found:
        if hasattr(iterator, '_shutdown_workers'):
            # by itself it waits 5 s for each worker that is at a sample
            timer = threading.Timer(PATIENCE, _terminate,
                                    [iterator._workers])
            timer.start()
            try:
                iterator._shutdown_workers()
            finally:
                timer.cancel()


def _terminate(workers: Sequence[multiprocessing.Process]) -> None:
    for worker in workers:
        worker.terminate()
