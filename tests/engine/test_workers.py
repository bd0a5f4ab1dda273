"""Data workers: signals, and their end with the run."""
import argparse
import multiprocessing
import os
import signal
import subprocess
import time

import psutil
import pytest
from irsde_mm.commands import cli
from irsde_mm.config import complete_config, load_config
from irsde_mm.datasets import image_cache
from irsde_mm.datasets.image_cache import FileCache
from irsde_mm.engine.hooks import PreemptionHook
from irsde_mm.engine.workers import end_workers, leave_signals_to_owner
from irsde_mm.errors import Interrupted
from mmengine.runner import Runner
from torch.utils.data import DataLoader, Dataset

LONG = 60  # seconds, longer than any test waits


class Samples(Dataset):
    """Integers; with ``slow``, all but the first take long."""

    def __init__(self, slow: bool = False) -> None:
        self.slow = slow

    def __len__(self) -> int:
        return 100

    def __getitem__(self, index: int) -> int:
        if self.slow and index:
            time.sleep(LONG)
        return index


def loader(slow: bool = False, **options) -> DataLoader:
    return DataLoader(Samples(slow), num_workers=2,
                      worker_init_fn=leave_signals_to_owner, **options)


def test_workers_ignore_signals_of_other_processes():
    data = iter(loader())
    next(data)
    worker = data._workers[0]
    for number in ('TERM', 'INT', 'TERM'):
        subprocess.run(['kill', f'-{number}', str(worker.pid)], check=True)
        time.sleep(0.1)
    assert [int(next(data)) for _ in range(50)] == list(range(1, 51))
    worker.terminate()
    worker.join(5)
    assert worker.exitcode == 0


@pytest.mark.grid(at_most=1)
@pytest.mark.parametrize('persistent', [True, False])
@pytest.mark.parametrize('slow', [True, False])
def test_workers_end_at_once(slow, persistent):
    data = loader(slow, persistent_workers=persistent)
    iterator = iter(data)
    next(iterator)
    workers = iterator._workers
    began = time.monotonic()
    end_workers([data], iterator)
    assert time.monotonic() - began < 3
    assert not any(worker.is_alive() for worker in workers)
    iterator = iter(data)
    assert int(next(iterator)) == 0, 'the next iterator starts new ones'
    end_workers([data], iterator)


def own(pipe) -> None:
    """Start a worker that does not check for its owner."""
    worker = multiprocessing.Process(target=outlive)
    worker.start()
    pipe.send(worker.pid)
    time.sleep(LONG)


def outlive() -> None:
    leave_signals_to_owner(0)
    time.sleep(LONG)


def test_worker_ends_with_a_killed_owner():
    pipe, end = multiprocessing.Pipe()
    owner = multiprocessing.Process(target=own, args=(end, ))
    owner.start()
    worker = psutil.Process(pipe.recv())
    time.sleep(0.5)
    os.kill(owner.pid, signal.SIGKILL)
    owner.join()
    assert not psutil.wait_procs([worker], timeout=5)[1]


@pytest.mark.grid(at_most=1)
@pytest.mark.parametrize('interrupted_in', [None, 'train', 'val'])
def test_workers_do_not_outlive_a_run(interrupted_in, tmp_path, monkeypatch):
    """Persistent workers of training and validation end with the run, also
    if it is interrupted."""
    cfg = load_config('quickstart/derain', {
        'model.generator.width': 4, 'train_cfg.max_iters': 4,
        'train_cfg.val_interval': 2, 'train_dataloader.batch_size': 1,
        'model.val_sampler': dict(type='irsde_mm.PosteriorSampler',
                                  num_steps=1),
        'default_hooks.pictures': dict(images=0, trajectories=0)})
    for part in ('train', 'val'):
        cfg[f'{part}_dataloader'].update(
            num_workers=1, persistent_workers=True)
    cfg.work_dir = str(tmp_path)
    FileCache(1, str(tmp_path / 'images.lmdb'))
    complete_config(cfg)
    runner, closed = Runner.from_cfg(cfg), []
    monkeypatch.setattr(runner.visualizer, 'close', lambda: closed.append(1))
    if interrupted_in is None:
        runner.train()
    else:
        name = f'after_{interrupted_in}_iter'
        hook = getattr(PreemptionHook, name)

        def interrupted(self, *args, **kwargs):
            assert len(multiprocessing.active_children()) >= 1
            signal.raise_signal(signal.SIGINT)
            hook(self, *args, **kwargs)

        monkeypatch.setattr(PreemptionHook, name, interrupted)
        with pytest.raises(Interrupted):
            runner.train()
    assert not multiprocessing.active_children() and not image_cache._OPEN
    assert closed, 'TensorBoard would lose buffered data'


def test_tools_end_children_that_an_exception_holds():
    """An exception that interrupts a validation holds its iterator."""
    children = []

    def main(args) -> None:
        child = multiprocessing.Process(target=outlive, daemon=True)
        child.start()
        children.append(child)
        time.sleep(0.5)
        raise Interrupted('stopped.')

    with pytest.raises(SystemExit) as end:
        cli.run(main, argparse.ArgumentParser(), [])
    children[0].join(5)
    assert end.value.code == Interrupted.code and not children[0].is_alive()
