"""Restorations with an engine in separate processes, to be killed, and a
reader of their results."""
import io
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Dict

import numpy as np
import psutil
from conftest import ROOT
from PIL import Image
from training import kill, launch

STEPS = 12
# batches round differently, and kills regroup photos
OPTIONS = ['--task', 'derain', '--self-ensemble', '1', '--steps', str(STEPS),
           '--batch-size', '1']


def draw_photos(folder: Path, number: int, size=(48, 40)) -> None:
    """Write photos into two folders; their names occur in both."""
    rng = np.random.default_rng(0)
    for i in range(number):
        path = folder / f'{i % 2}' / f'photo_{i // 2}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (*size[::-1], 3),
                                     dtype=np.uint8)).save(path)


def results(folder: Path) -> Dict[str, bytes]:
    """Return the contents of all results by their names."""
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob('*.png')}


def nearly_equal(found: Dict[str, bytes], expected: Dict[str, bytes]) -> bool:
    """Return whether there are the same photos, and their values differ by
    at most one level, as those of batches do."""
    def read(content):
        return np.asarray(Image.open(io.BytesIO(content)), np.int16)
    return found.keys() == expected.keys() and all(
        abs(read(found[name]) - read(expected[name])).max() <= 1
        for name in found)


def environment() -> Dict[str, str]:
    """Return the environment of a job; the number of threads changes the
    rounding."""
    return {**os.environ, 'PYTHON': sys.executable, 'OMP_NUM_THREADS': '1',
            'PYTHONPATH': str(ROOT)}


def plain_results(source: Path, out: Path) -> Dict[str, bytes]:
    """Return the results of restore without an engine."""
    subprocess.run([sys.executable, ROOT / 'tools' / 'restore.py',
                    f'{source}/**/*', *OPTIONS, '--out', out], check=True,
                   env=environment())
    return results(out)


def start(engine: str, source: Path, out: Path, *options,
          processes: int = 2) -> subprocess.Popen:
    """Start the command in a new process group."""
    options = [*OPTIONS, *options]
    command = [sys.executable, ROOT / 'tools' / 'restore.py', source, '--out',
               out, '--engine', engine, '--workers', processes]
    if engine == 'torchrun':
        command = ['bash', ROOT / 'tools' / 'dist_restore.sh', source, out,
                   processes]
    return launch([*map(str, command), *map(str, options)], environment())


def workers(process: subprocess.Popen) -> list:
    """Return the processes that restore photos."""
    return [child for child in psutil.Process(process.pid).children(
        recursive=True) if any(word in part for part in child.cmdline()
                               for word in ('spawn_main', 'restore.py',
                                            'ray::MapWorker'))]


def wait_for_results(process: subprocess.Popen, out: Path,
                     number: int) -> None:
    """Wait until so many results exist or the process has ended."""
    while process.poll() is None and len(list(out.rglob('*.png'))) < number:
        time.sleep(0.02)


def kill_at_random(process: subprocess.Popen, out: Path, kind: str,
                   rng: random.Random) -> bool:
    """Kill a part of a job at start-up or, more often, at work.

    Args:
        kind (str): 'worker', 'driver' (of torchrun, the launcher) or 'all'.

    Returns:
        bool: Whether something was killed.
    """
    if rng.random() < 0.1:
        time.sleep(rng.uniform(0, 8))
    else:
        wait_for_results(process, out, len(list(out.rglob('*.png')))
                         + rng.randint(1, 4))
        time.sleep(rng.uniform(0, 0.3))
    if process.poll() is not None:
        return False
    family = psutil.Process(process.pid).children(recursive=True)
    if kind == 'worker':
        found = workers(process)
        if not found:
            return False
        rng.choice(found).kill()
        return True
    if kind == 'driver':
        process.kill()
    else:
        kill(process, signal.SIGKILL)
    process.wait()
    # none outlives its parent for long; those of Ray look for it now and then
    assert not psutil.wait_procs(family, timeout=180)[1]
    return True


class Reader(threading.Thread):
    """Polls a target like a user who takes each result as soon as it is
    there.

    Args:
        out (Path): The target.
        expected (dict): Contents by name.

    Attributes:
        looks (int): Number of files read.
        wrong (list[str]): Results that were not whole, or written twice.
    """

    def __init__(self, out: Path, expected: Dict[str, bytes]) -> None:
        super().__init__(daemon=True)
        self.out, self.expected = out, expected
        self.looks, self.wrong = 0, []
        self.first: Dict[str, tuple] = {}
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.is_set():
            self.look()
            time.sleep(0.01)

    def look(self) -> None:
        for path in list(self.out.rglob('*.png')):
            name = str(path.relative_to(self.out))
            status, content = path.stat(), path.read_bytes()
            file = (status.st_ino, status.st_mtime_ns)
            self.looks += 1
            if content != self.expected[name]:
                self.wrong.append(f'{name}: not whole')
            elif self.first.setdefault(name, file) != file:
                self.wrong.append(f'{name}: written twice')
            else:
                Image.open(io.BytesIO(content)).load()

    def end(self) -> None:
        """Look a last time and check that nothing was wrong."""
        self.ended.set()
        self.join()
        self.look()
        assert not self.wrong, self.wrong[:3]


def states(out: Path) -> Dict[str, int]:
    """Return the number of photos by state."""
    with sqlite3.connect(out / '.irsde' / 'manifest.sqlite') as base:
        return dict(base.execute(
            'SELECT state, COUNT(*) FROM photos GROUP BY state'))
