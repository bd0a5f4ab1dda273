"""Worker processes on this machine."""
import multiprocessing
import signal
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from multiprocessing.connection import Connection, wait
from typing import Any, Deque, Dict, Iterator, List, Optional

from ...errors import ConfigError, IRSDEError, OutputError
from ...inference.image_pipeline import BATCH_IMAGES
from ..items import FAILED, Item, Outcome
from ..job import Job
from ..places import Place
from ..sources import name_of
from ..worker import Worker

#: Message of a process that has loaded the model.
READY = 'ready'
#: Processes that may end one after the other while they load the model.
STARTS = 3


def check(workers: Optional[int]) -> None:
    """Check the number of workers.

    Raises:
        ConfigError: If it is less than 1.
    """
    if workers is not None and workers < 1:
        raise ConfigError(f'--workers {workers}: at least 1 is needed.')


def run(job: Job, items: Any, workers: Optional[int]) -> Iterator[Outcome]:
    """Yield the outcome of each item.

    Args:
        job (Job): The job.
        items (iterable[Item]): Photos, with a length.
        workers (int, optional): Number of processes; 1 is this one. By
            default, one per GPU, or 1.

    Raises:
        IRSDEError: If the model cannot be loaded, or the target is full.
    """
    import torch
    gpus = torch.cuda.device_count()
    number = min(workers or max(gpus, 1), max(len(items), 1))
    left = Chunks(items, job.batch_size or BATCH_IMAGES, number)
    if number == 1:
        worker = Worker(job)
        for chunk in left:
            yield from worker.outcomes(chunk)
        return
    devices = [f'cuda:{i % gpus}' if gpus > 1 and job.device is None
               else job.device for i in range(number)]
    pool = Pool([replace(job, device=device) for device in devices],
                max(torch.get_num_threads() // number, 1), left)
    try:
        yield from pool.outcomes()
    finally:
        pool.end()


class Chunks:
    """Photos in chunks, smaller ones at the end, so that all workers end at
    about the same time.

    Args:
        items (iterable[Item]): Photos, with a length.
        most (int): Maximum number of photos per chunk.
        workers (int): Number of workers.
    """

    def __init__(self, items: Any, most: int, workers: int) -> None:
        self.left, self.items = len(items), iter(items)
        self.most, self.workers = most, workers

    def __iter__(self) -> Iterator[List[Item]]:
        while True:
            size = min(self.most, -(-self.left // (2 * self.workers))
                       if self.workers > 1 else self.most)
            chunk = list(islice(self.items, max(size, 1)))
            if not chunk:
                return
            self.left -= len(chunk)
            yield chunk


@dataclass
class Process:
    """A worker process, its connection, and the photos that it has."""

    process: Any
    connection: Connection
    items: Dict[str, Item]
    ready: bool = False


class Pool:
    """Worker processes. A lost one is replaced, and its photos are handed out
    again one by one, so that a photo that ends processes is found.

    Args:
        jobs (list[Job]): The job of each process.
        threads (int): Threads per process.
        chunks (Chunks): The photos.
    """

    def __init__(self, jobs: List[Job], threads: int, chunks: Chunks) -> None:
        self.jobs, self.threads = jobs, threads
        self.chunks = iter(chunks)
        self.again: Deque[List[Item]] = deque()
        self.losses: Counter = Counter()
        self.failed_starts = 0
        self.pool: List[Process] = []
        for job in jobs:
            self.pool.append(self._start(job))

    def _start(self, job: Job) -> Process:
        # forked processes could not use CUDA, nor fsspec's thread
        context = multiprocessing.get_context('spawn')
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, daemon=True,
                                  args=(theirs, job, self.threads))
        process.start()
        theirs.close()
        return Process(process, ours, {})

    def outcomes(self) -> Iterator[Outcome]:
        """Yield the outcome of each item.

        Raises:
            IRSDEError: If the model cannot be loaded, or the target is full.
        """
        while True:
            for i in range(len(self.pool)):
                self._hand_out(i)
            busy = [i for i, process in enumerate(self.pool) if process.items]
            if not busy:
                return
            ready = wait([self.pool[i].connection for i in busy])
            for i in busy:
                if self.pool[i].connection in ready:
                    yield from self._receive(i)

    def _hand_out(self, i: int) -> None:
        process = self.pool[i]
        if process.items:
            return
        chunk = self.again.popleft() if self.again else next(self.chunks, None)
        if chunk is None:
            return
        process.items = {item.name: item for item in chunk}
        with suppress(OSError):  # if it was lost, receiving notices
            process.connection.send(chunk)

    def _receive(self, i: int) -> Iterator[Outcome]:
        process = self.pool[i]
        try:
            message = process.connection.recv()
        except (EOFError, OSError):
            yield from self._replace(i)
            return
        if isinstance(message, IRSDEError):
            raise message
        if message == READY:
            process.ready, self.failed_starts = True, 0
        elif isinstance(message, Outcome):
            # without its photos, it is handed the next ones
            del process.items[message.name]
            yield message

    def _replace(self, i: int) -> Iterator[Outcome]:
        """Replace a process that was lost.

        Raises:
            OutputError: If none can be started.
        """
        process = self.pool[i]
        process.process.join()
        process.connection.close()
        how = ending(process.process.exitcode)
        lost = list(process.items.values())
        if not process.ready:
            self.failed_starts += 1
            if self.failed_starts > STARTS:
                raise OutputError(
                    f'worker processes {how} while they load the model: is '
                    'there enough memory for so many --workers?')
        elif len(lost) == 1:
            item = lost[0]
            self.losses[item.name] += 1
            if self.losses[item.name] > self.jobs[i].retries:
                lost = []
                name = name_of(Place(self.jobs[i].source), item)
                yield Outcome(item.name, FAILED, '', f'{name!r}: the process '
                              f'that restored it {how}.',
                              self.losses[item.name])
        self.again.extend([item] for item in lost)
        self.pool[i] = self._start(self.jobs[i])

    def end(self) -> None:
        """End all processes."""
        for process in self.pool:
            process.process.terminate()
        for process in self.pool:
            process.process.join()
            process.connection.close()


def ending(code: Optional[int]) -> str:
    """Return how a process has ended, in words."""
    if code is not None and code < 0:
        return f'was ended by {signal.Signals(-code).name}'
    return f'has ended with code {code}'


def serve(connection: Connection, job: Job, threads: int) -> None:
    """Restore the photos that a connection brings until it closes."""
    from ...processes import prepare_worker
    prepare_worker(threads)
    try:
        worker = Worker(job)
        connection.send(READY)
        while True:
            for outcome in worker.outcomes(connection.recv()):
                connection.send(outcome)
    except IRSDEError as error:
        connection.send(error)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the driver has ended
