"""Progress of a task that runs in a thread."""
import queue
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any, Callable, Iterator


class Stopped(Exception):
    """The user stopped the restoration."""


def iterate_progress(task: Callable[[Callable], None],
                     convert: Callable[[Any], Any], stop: Event) -> Iterator:
    """Run a task in a thread and yield its progress until it is done.

    Args:
        task: Called as ``task(callback)``; it calls ``callback(progress)``
            from time to time.
        convert: Converts the progress to what is yielded. Not called for
            progress that arrives before the last one has been consumed.
        stop (Event): Stops the task at its next callback.

    Raises:
        Stopped: If the task was stopped.
        Exception: Any error of the task.
    """
    updates: queue.Queue = queue.Queue()

    def callback(progress) -> None:
        if stop.is_set():
            raise Stopped
        if updates.empty():
            updates.put((False, convert(progress)))

    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(task, callback)
        result.add_done_callback(lambda _: updates.put((True, None)))
        try:
            while True:
                done, update = updates.get()
                if done:
                    result.result()  # raises the task's error
                    return
                yield update
        finally:  # also if the page was closed, which closes the generator
            stop.set()
