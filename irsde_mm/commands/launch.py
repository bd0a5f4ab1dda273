"""torchrun for tools/dist_*.sh: the end of its processes is its own.

A signal, or a process that has said what is wrong, ends it without a
traceback of torchrun's, and with the exit code of the process.
"""
import signal
import sys

from torch.distributed import run
from torch.distributed.elastic.multiprocessing import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

from ..errors import Interrupted


def main() -> None:
    """Takes the arguments of torchrun from the command line."""
    try:
        run.main()
    except SignalException as stop:
        name = signal.Signals(stop.sigval).name
        print(f'stopped by {name}.', file=sys.stderr)
        sys.exit(Interrupted.code)
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        if failure.exitcode > 0:
            sys.exit(failure.exitcode)
        print(f'process {rank} was ended by {failure.signal_name()}.',
              file=sys.stderr)
        sys.exit(1)


if __name__ == '__main__':
    main()
