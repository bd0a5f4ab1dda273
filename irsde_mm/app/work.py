"""Progress of work in a thread."""
import queue
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any, Callable, Iterator


class Stopped(Exception):
    """The visitor stopped the restoration."""


def watched(work: Callable[[Callable], None], look: Callable[[Any], Any],
            stop: Event) -> Iterator:
    """Yields the progress of some work until it is done.

    Args:
        work: Called as ``work(callback)`` in a thread; it calls
            ``callback(progress)`` now and then.
        look: Makes what is yielded from the progress. Not called for progress
            that comes faster than it is taken.
        stop (Event): Ends the work at its next callback.

    Raises:
        Stopped: If that ended it.
        Exception: The work's.
    """
    box: queue.Queue = queue.Queue()

    def callback(progress) -> None:
        if stop.is_set():
            raise Stopped
        if box.empty():
            box.put((False, look(progress)))

    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(work, callback)
        result.add_done_callback(lambda _: box.put((True, None)))
        try:
            while True:
                done, seen = box.get()
                if done:
                    result.result()  # raises its error
                    return
                yield seen
        finally:  # also when the page was closed and the generator with it
            stop.set()
