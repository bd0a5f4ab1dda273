"""Work in a thread, watched while it runs."""
import queue
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any, Callable, Iterator


class Stopped(Exception):
    """The visitor wants no more of it."""


def watched(work: Callable[[Callable], Any], look: Callable[[Any], Any],
            stop: Event) -> Iterator:
    """Yields how far a piece of work is, at last what it gives.

    Args:
        work: Called as ``work(tell)`` in a thread; it calls ``tell(news)``
            now and then.
        look: Makes of news what is yielded; left out for what comes faster
            than it is taken.
        stop (Event): Ends the work at its next news.

    Raises:
        Stopped: If that ended it.
        Exception: The work's.
    """
    box: queue.Queue = queue.Queue()

    def tell(news) -> None:
        if stop.is_set():
            raise Stopped
        if box.empty():
            box.put((False, look(news)))

    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(work, tell)
        result.add_done_callback(lambda _: box.put((True, None)))
        try:
            while True:
                done, seen = box.get()
                if done:
                    yield result.result()
                    return
                yield seen
        finally:  # also if nobody takes what is yielded: the page is closed
            stop.set()
