"""Data workers that leave signals to the process that owns them."""
import signal

from ..registry import FUNCTIONS


@FUNCTIONS.register_module()
def leave_signals_to_owner(worker_id: int) -> None:
    """A ``worker_init_fn``: SIGTERM and SIGINT go to a whole group or job, but
    the iteration that is to be finished and saved still needs its data.

    An alarm ends a worker that outlives its owner.

    Args:
        worker_id (int): From the dataloader.
    """
    def wait(number, frame) -> None:
        signal.alarm(60)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, wait)
