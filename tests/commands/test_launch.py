"""Exit codes of torchrun in the shell scripts."""
import signal

import pytest
from irsde_mm.commands import launch
from irsde_mm.errors import Interrupted
from torch.distributed.elastic.multiprocessing import SignalException
from torch.distributed.elastic.multiprocessing.errors import (ChildFailedError,
                                                           ProcessFailure)


def child_failed(exitcode: int) -> ChildFailedError:
    failure = ProcessFailure(local_rank=1, pid=1, exitcode=exitcode,
                             error_file='')
    return ChildFailedError('train.py', {1: failure})


@pytest.mark.parametrize('error, code, words', [
    (SignalException('', signal.SIGTERM), Interrupted.code,
     'stopped by SIGTERM.\n'),
    (child_failed(2), 2, ''),  # the process has reported the error
    (child_failed(-9), 1, 'process 1 was killed by SIGKILL.\n')])
def test_exit_code(error, code, words, monkeypatch, capsys):
    def run():
        raise error

    monkeypatch.setattr(launch.run, 'main', run)
    with pytest.raises(SystemExit) as end:
        launch.main()
    assert end.value.code == code and capsys.readouterr().err == words
