"""torchrun for tools/dist_*.sh, without torchrun's own tracebacks.

If a process fails with a message or a signal stops the run, exit with the
corresponding code and print no further traceback.
"""
import signal
import sys

from torch.distributed import run
from torch.distributed.elastic.multiprocessing import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

from ..errors import Interrupted


def main() -> None:
    """Run torchrun with the arguments of the command line."""
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
        print(f'process {rank} was killed by {failure.signal_name()}.',
              file=sys.stderr)
        sys.exit(1)


if __name__ == '__main__':
    main()
