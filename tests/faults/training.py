"""Training runs in separate processes, to be killed, and their outcomes."""
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import cv2
import psutil
import torch
from conftest import ROOT, TINY, run_tool
from irsde_mm.datasets import BuiltinPhotos
from mmengine.logging import HistoryBuffer

ITERATIONS = 40
OPTIONS = [option for option in TINY if 'max_iters' not in option] + [
    f'train_cfg.max_iters={ITERATIONS}', 'train_cfg.val_interval=14',
    'val_dataloader.dataset.indices=1',
    'default_hooks.checkpoint.interval=4', 'default_hooks.logger.interval=1',
    'default_hooks.preemption.interval=2', 'randomness.deterministic=True']


def shard_config(folder: Path, urls: str = '') -> Path:
    """Pack parts of the built-in photos, and write a config that trains on
    them.

    Args:
        folder (Path): Folder of the shards and the config.
        urls (str): Where the config looks for shards, by default there.
    """
    photos = folder / 'photos'
    photos.mkdir(parents=True)
    for info in BuiltinPhotos('train'):
        cv2.imwrite(str(photos / info['gt_path']), info['gt'][:160, :160])
    assert run_tool('prepare_data', 'shards', '--source', photos, '--out',
                    folder / 'train', '--per-shard', 4) == 0
    config = folder / 'config.py'
    config.write_text(f"""
_base_ = 'irsde_mm::quickstart/derain.py'
train_dataloader = dict(dataset=dict(
    _delete_=True, type='irsde_mm.ShardDataset', max_skipped=2,
    urls={urls or str(folder / 'train-*.tar')!r},
    pipeline=[dict(type='irsde_mm.LoadImage', key='gt'),
              *_base_.train_dataloader.dataset.pipeline]))
""")
    return config


def start(folder: Path, *args: str, workers: int = 0, processes: int = 1,
          config: str = 'quickstart/derain', **environ) -> subprocess.Popen:
    """Start tools/train.py in a new process group; arguments with '=' are
    config options."""
    tool = [sys.executable, ROOT / 'tools' / 'train.py', config]
    if processes > 1:
        tool = ['bash', ROOT / 'tools' / 'dist_train.sh', config,
                str(processes)]
    return launch(
        [*tool, '--work-dir', folder, *[a for a in args if '=' not in a],
         '--cfg-options', *OPTIONS,
         f'train_dataloader.num_workers={workers}',
         *[a for a in args if '=' in a]],
        {**os.environ, 'PYTHON': sys.executable, 'OMP_NUM_THREADS': '1',
         'PYTHONWARNINGS': 'ignore', **environ})


def launch(command: list, environ: dict) -> subprocess.Popen:
    """Start a command in a new process group.

    The output goes to a file: a pipe would fill up, or be kept open by a
    process that outlives the command.
    """
    log = tempfile.TemporaryFile(  # noqa: SIM115, closed with the process
        'w+', errors='replace')
    process = subprocess.Popen(command, start_new_session=True, stdout=log,
                               stderr=subprocess.STDOUT, env=environ)
    process.log = log
    return process


def finish(process: subprocess.Popen, code: int = 0) -> str:
    """Wait for the end of a process, check its exit code and return its
    output."""
    process.wait(timeout=600)
    process.log.seek(0)
    out = process.log.read()
    assert process.returncode == code, out[-3000:]
    return out


def kill(process: subprocess.Popen, number=signal.SIGKILL) -> None:
    """Send a signal to all processes of a run: torchrun, ranks, workers."""
    leader = psutil.Process(process.pid)
    found = [leader]
    if number == signal.SIGKILL:
        # A rank that starts meanwhile would wait for its peers for minutes.
        for part in found:
            with suppress(psutil.NoSuchProcess):
                part.suspend()
                found += part.children()
    else:
        found += leader.children(recursive=True)
    for part in reversed(found):
        with suppress(psutil.NoSuchProcess):
            part.send_signal(number)


def lines(folder: Path) -> list:
    """Return the logged iterations of all attempts, oldest first."""
    rows = []
    for path in sorted(folder.glob('*/vis_data/scalars.json')):
        for line in path.read_text().splitlines():
            try:
                rows.append(json.loads(line))
            except ValueError:  # incomplete line of a killed process
                continue
    return [row for row in rows if 'loss' in row]


def wait_for_lines(process: subprocess.Popen, folder: Path,
                   count: int) -> None:
    """Wait until so many iterations are logged or the process has ended."""
    while process.poll() is None and len(lines(folder)) < count:
        time.sleep(0.05)


def kill_at_random(process: subprocess.Popen, folder: Path,
                   rng: random.Random) -> bool:
    """Kill a run at start-up or, more often, between iterations. Return False
    if training has ended before."""
    if rng.random() < 0.1:
        time.sleep(rng.uniform(0, 8))
    else:
        wait_for_lines(process, folder,
                       len(lines(folder)) + rng.randint(1, 12))
        time.sleep(rng.uniform(0, 0.3))
    if process.poll() is not None:
        finish(process)
        return False
    kill(process)
    process.wait()
    return True


def leaves(value, path='') -> dict:
    """Return all tensors and numbers in a checkpoint by their path."""
    if isinstance(value, HistoryBuffer):
        value = list(value.data)
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, (list, tuple)):
        items = enumerate(value)
    else:
        return {path: value}
    return {key: leaf for k, v in items
            for key, leaf in leaves(v, f'{path}/{k}').items()}


def outcome(folder: Path) -> dict:
    """Return weights, EMA, optimizer, schedules and logged losses of a
    run."""
    checkpoint = torch.load(folder / f'iter_{ITERATIONS}.pth',
                            weights_only=True)
    kept = {key: checkpoint[key] for key in (
        'state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers',
        'irsde_mm_guard')}
    by_step = {}
    for row in lines(folder):
        values = {key: row[key] for key in ('loss', 'lr')}
        # a repeated iteration must give the same loss
        assert by_step.setdefault(row['step'], values) == values
    assert sorted(by_step) == list(range(1, ITERATIONS + 1))
    return leaves(dict(kept, log=by_step))


def assert_equal(one: dict, other: dict) -> None:
    """Check that two outcomes are equal, bit for bit."""
    assert one.keys() == other.keys()
    for key, value in one.items():
        same = torch.equal(value, other[key]) if isinstance(
            value, torch.Tensor) else value == other[key]
        assert same, key
