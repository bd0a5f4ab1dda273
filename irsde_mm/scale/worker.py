"""A process that restores photos, whichever engine has started it."""
import io
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, List, Optional, Sequence

import numpy as np

from ..apis.inference import open_pipeline
from ..apis.photos import Photo, open_photo, with_name
from ..apis.restoring import restore_batch
from ..errors import DataError, IRSDEError, OutputError, building
from ..io.addresses import one_line
from ..inference.memory import memory_errors
from ..io.photos import save_image
from ..io.stored import StoredPhoto
from .items import DONE, FAILED, Item, Outcome
from .job import Job
from .places import Place
from .retrying import is_of_target, persist, wait
from .sources import name_of, read_item

#: Photos that are read at the same time, because object stores are slow to
#: answer.
READERS = 8


@dataclass
class Task:
    """An item in work.

    Attributes:
        item (Item): The item.
        photo (Photo, optional): The photo, once it is opened.
        attempts (int): Number of the current try.
        seconds (float): Time spent on it.
    """

    item: Item
    photo: Optional[Photo] = None
    attempts: int = 1
    seconds: float = 0.

    def again(self, tries: int) -> None:
        """Wait before the next try."""
        self.attempts += 1
        wait(tries)

    def done(self, size: int) -> Outcome:
        return Outcome(self.item.name, DONE, self.item.file, '',
                       self.attempts, self.seconds, size)

    def failed(self, error: Exception, name: str) -> Outcome:
        if not isinstance(error, IRSDEError):
            error = DataError(f'{type(error).__name__}: {one_line(error)}')
        return Outcome(self.item.name, FAILED, '',
                       str(with_name(error, name)), self.attempts,
                       self.seconds)


class Worker:
    """Process of a job. It loads the model once.

    Args:
        job (Job): The job.

    Raises:
        ConfigError, CheckpointError: If the model cannot be loaded, is not
            that of the job, or does not support an option.
    """

    def __init__(self, job: Job) -> None:
        job.check_files()
        with building(f"'{job.model}' cannot be built"):
            self.pipeline = open_pipeline(job.model, job.checkpoint,
                                          job.device, job.tile,
                                          job.self_ensemble)
        self.job = job
        self.options = job.options().for_pipeline(self.pipeline)
        self.source = Place(job.source)
        self.target = Place(job.target)

    def restore(self, items: Sequence[Item]) -> List[Outcome]:
        """Restore photos and write the results.

        Args:
            items: Photos of any size, as many as can be in memory together
                as files; those of the same size share batches.

        Returns:
            list[Outcome]: One for each item, in any order.

        Raises:
            OutputError: If the target is full or refuses access.
        """
        return list(self.outcomes(items))

    def outcomes(self, items: Sequence[Item]) -> Iterator[Outcome]:
        """Yield each outcome as soon as the result is written; see
        :meth:`restore`."""
        tasks = [Task(item) for item in items]
        with ThreadPoolExecutor(READERS) as readers:
            errors = list(readers.map(self._open, tasks))
        good = []
        for task, error in zip(tasks, errors):
            if error is None:
                good.append(task)
            else:
                yield self._failed(task, error)
        # results of a batch differ in the last bit from those of one photo
        for batch in self.pipeline.in_batches(
                [task.photo.size for task in good],
                self.options.batch_size or 1):
            yield from self._batch([good[i] for i in batch])

    def _failed(self, task: Task, error: Exception) -> Outcome:
        return task.failed(error, name_of(self.source, task.item))

    def _open(self, task: Task) -> Optional[Exception]:
        """Open a photo; return the error that prevents it."""
        start = time.monotonic()
        try:
            persist(lambda: self._read(task), self.job.retries, task.again)
            if not self.job.force:
                self.pipeline.check_memory(*task.photo.size, task.photo.name)
        except Exception as error:  # each protocol has exceptions of its own
            return error
        finally:
            task.seconds += time.monotonic() - start
        return None

    def _read(self, task: Task) -> None:
        name = name_of(self.source, task.item)
        content = read_item(self.source, task.item)
        source = Path(name) if content is None else StoredPhoto(name, content)
        task.photo = open_photo(source, 1, self.pipeline.channels,
                                self.options.max_pixels, self.options.white)
        if task.photo.error:
            raise task.photo.error

    def _batch(self, tasks: List[Task]) -> Iterator[Outcome]:
        """Restore photos as a batch, or one by one if that fails."""
        start = time.monotonic()
        try:
            images = self._pixels(tasks)
        except Exception as error:  # a photo must not stop the others
            if _is_of_device(error):
                raise
            _spend(tasks, start)
            if len(tasks) > 1:
                for task in tasks:
                    yield from self._batch([task])
            else:
                yield self._failed(tasks[0], error)
            return
        _spend(tasks, start)
        for task, image in zip(tasks, images):
            yield self._write(task, image)

    def _pixels(self, tasks: List[Task]) -> List[np.ndarray]:
        options = self.options

        def call() -> List[np.ndarray]:
            with memory_errors():
                return restore_batch(
                    self.pipeline, [task.photo for task in tasks],
                    sampler=options.sampler, seed=options.seed,
                    crispness=options.crispness,
                    data_consistency=options.data_consistency,
                    max_pixels=options.max_pixels, white=options.white)

        if len(tasks) > 1:
            return call()
        return persist(call, self.job.retries, tasks[0].again)

    def _write(self, task: Task, image: np.ndarray) -> Outcome:
        """Write a result.

        Raises:
            OutputError: If the target is full or refuses access.
        """
        start = time.monotonic()
        content = self._encode(task.photo, image)
        try:
            persist(lambda: self.target.create(task.item.file, content),
                    self.job.retries, task.again)
        except FileExistsError:
            if not self._is_ours(task, content):
                return self._failed(task, OutputError(
                    f"'{self.target.full(task.item.file)}' already exists "
                    'and is not overwritten.'))
        except Exception as error:  # each protocol has exceptions of its own
            if is_of_target(error):
                raise OutputError(f"cannot write to '{self.target}': "
                                  f'{_text(error)}.') from error
            return self._failed(task, OutputError(
                f"cannot write '{self.target.full(task.item.file)}': "
                f'{_text(error)}.'))
        finally:
            task.seconds += time.monotonic() - start
        return task.done(len(content))

    def _encode(self, photo: Photo, image: np.ndarray) -> bytes:
        file = io.BytesIO()
        save_image(file, image, **photo.metadata(image.shape[2]))
        return file.getvalue()

    def _is_ours(self, task: Task, content: bytes) -> bool:
        """Return True if a result is the one of this photo, written by a try
        that was interrupted before it was reported."""
        try:
            return content == persist(
                lambda: self.target.read(task.item.file), self.job.retries)
        except Exception:  # each protocol has exceptions of its own
            return False


def _spend(tasks: List[Task], start: float) -> None:
    """Divide the time of a batch among its photos."""
    for task in tasks:
        task.seconds += (time.monotonic() - start) / len(tasks)


def _text(error: BaseException) -> str:
    return getattr(error, 'strerror', None) or one_line(error)


def _is_of_device(error: Exception) -> bool:
    """Return True if the GPU of this process can no longer be used."""
    import torch
    return isinstance(error, getattr(torch, 'AcceleratorError', ()))
