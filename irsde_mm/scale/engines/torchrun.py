"""Processes that torchrun or Slurm has started, on any number of machines.

The first one hands out photos to those that ask, through the store in which
they have met, and restores photos itself. If a process is lost, the launcher
ends or restarts all of them.
"""
import pickle
import queue
import threading
import time
from contextlib import suppress
from dataclasses import replace
from typing import Any, Iterator, List, Optional

from ...errors import ConfigError, IRSDEError
from ...inference.image_pipeline import BATCH_IMAGES
from ..items import Item, Outcome
from ..job import Job
from ..worker import Worker
from .local import Chunks

#: Seconds between two looks into the store, at least and at most.
LOOK, LONGEST = 0.02, 0.5
#: Keys of the store: number of tasks that were asked for and of outcomes.
ASKED, OUTCOMES, OVER = 'asked', 'outcomes', 'over'


def check(workers: Optional[int]) -> None:
    """Check that a launcher has started this process.

    Raises:
        ConfigError: If it has not, or a number of workers is given.
    """
    if workers is not None:
        raise ConfigError('--workers cannot be used with --engine torchrun: '
                          'the launcher determines the number of processes.')
    meet()


def meet() -> tuple:
    """Meet the other processes, see :func:`join_store`."""
    from ...processes import join_store
    return join_store()


def assist(job: Job) -> bool:
    """Restore what the first process hands out, until it dismisses.

    Args:
        job (Job): The job.

    Returns:
        bool: False in the first process, which has to call :func:`run`.
    """
    from torch import distributed

    from ...processes import end_with_parent
    store, rank, _, _ = meet()
    end_with_parent()
    if rank == 0:
        return False
    with suppress(distributed.DistNetworkError):  # the first one has ended
        _serve(job, store)
    return True


def _serve(job: Job, store: Any) -> None:
    worker = None
    try:
        while (items := _next_task(store)) is not None:
            worker = worker or Worker(on_device(job))
            for outcome in worker.outcomes(items):
                _report(store, outcome)
    except IRSDEError as error:
        _report(store, error)
        while _next_task(store) is not None:
            pass  # the first process prints the error and dismisses


def _report(store: Any, result: Any) -> None:
    store.set(f'outcome/{store.add(OUTCOMES, 1) - 1}', pickle.dumps(result))


def _next_task(store: Any) -> Optional[List[Item]]:
    """Ask for photos; return None if there are no more."""
    key, pause = f'task/{store.add(ASKED, 1) - 1}', LOOK
    # TCPStore.wait would log each timeout
    while not store.check([key]):
        if store.check([OVER]):
            return None
        time.sleep(pause)
        pause = min(2 * pause, LONGEST)
    task = pickle.loads(store.get(key))
    store.delete_key(key)
    return task


def dismiss() -> None:
    """Let the other processes end."""
    store, *_ = meet()
    store.set(OVER, '')


def on_device(job: Job) -> Job:
    """Return the job with the GPU of this process, if there are GPUs."""
    import torch
    gpus = torch.cuda.device_count()
    if not gpus or job.device is not None:
        return job
    *_, local = meet()
    return replace(job, device=f'cuda:{local % gpus}')


def run(job: Job, items: Any, workers: Optional[int]) -> Iterator[Outcome]:
    """Yield the outcome of each item, in the first process.

    Args:
        job (Job): The job.
        items (iterable[Item]): Photos, with a length.
        workers: None.

    Raises:
        IRSDEError: If the model cannot be loaded, or the target is full.
    """
    store, _, size, _ = meet()
    chunks = iter(Chunks(items, job.batch_size or BATCH_IMAGES, size))
    own = OwnWorker(on_device(job))
    try:
        yield from _outcomes(store, chunks, own, len(items))
    finally:
        own.end()


def _outcomes(store: Any, chunks: Iterator[List[Item]], own: 'OwnWorker',
              left: int) -> Iterator[Outcome]:
    """Hand out chunks and yield outcomes until none is left."""
    given, seen = 0, 0
    while left:
        if own.idle.is_set() and (chunk := next(chunks, None)):
            own.give(chunk)
        asked = store.add(ASKED, 0)
        while given < asked and (chunk := next(chunks, None)):
            store.set(f'task/{given}', pickle.dumps(chunk))
            given += 1
        found = own.results()
        while store.check([f'outcome/{seen}']):
            found.append(pickle.loads(store.get(f'outcome/{seen}')))
            store.delete_key(f'outcome/{seen}')
            seen += 1
        for result in found:
            if isinstance(result, Exception):
                raise result
            left -= 1
            yield result
        if not found:
            time.sleep(LOOK)


class OwnWorker:
    """Worker of the first process, in a thread.

    Args:
        job (Job): The job.

    Attributes:
        idle (Event): Set while it has no photos.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.idle = threading.Event()
        self.idle.set()
        self.tasks: queue.SimpleQueue = queue.SimpleQueue()
        self.finished: queue.SimpleQueue = queue.SimpleQueue()
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def give(self, items: List[Item]) -> None:
        self.idle.clear()
        self.tasks.put(items)

    def results(self) -> list:
        """Return the outcomes since the last call, or an exception."""
        return [self.finished.get() for _ in range(self.finished.qsize())]

    def end(self) -> None:
        """Wait for the end of the batch; a thread must not run at exit."""
        self.ended.set()
        self.tasks.put([])
        self.thread.join()

    def _work(self) -> None:
        try:
            worker = Worker(self.job)
            while items := self.tasks.get():
                for outcome in worker.outcomes(items):
                    self.finished.put(outcome)
                    if self.ended.is_set():
                        return
                self.idle.set()
        except Exception as error:  # raised in the main thread
            self.finished.put(error)
