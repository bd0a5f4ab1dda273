"""Time until a tool responds, restores a photo or trains."""
import argparse
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from printing import print_table

from .common import network_calls, seconds, seconds_of

TRAIN = Path(__file__).parents[1] / 'train.py'
#: Code of the entry point of the installed command.
IRSDE = ('-c', 'from irsde_mm.commands import main; main()')
TASK, SIZE = 'derain', (481, 321)
#: Limit for restoring a photo, as a multiple of ``import torch`` plus the
#: network calls, and limit for ``irsde --help`` in seconds.
IMPORTS, HELP = 2.5, 0.4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config', nargs='?', help='path or name of a config '
                        'whose training is timed too')


def run(args: argparse.Namespace) -> dict:
    """Measure ``irsde --help`` and ``irsde restore`` of a photo, compared with
    ``import torch`` and the network calls.

    With a config, also measure ``train.py --help`` and a training of one
    iteration without validation. All run in rounds, in separate processes.

    Raises:
        ConfigError: If the config cannot be trained.
    """
    with tempfile.TemporaryDirectory() as folder:
        times = time_restoring(args, Path(folder))
    if args.config:
        times.update(time_training(args))
    figures = {name: statistics.median(found)
               for name, found in times.items()}
    ratio = statistics.median(
        whole / (IMPORTS * torch + network) for whole, torch, network in zip(
            times['irsde restore'], times['import torch'],
            times['its network']))
    show(figures, ratio, args)
    return dict(config=args.config, seconds=figures, ratio=ratio)


def time_restoring(args: argparse.Namespace, folder: Path) -> dict:
    """Return the seconds of each round of restoring, by command."""
    device = ['--device', args.device] if args.device else []
    photo, network = make_photo(folder), network_job(folder, args.device)
    network()  # warm up
    times = {name: [] for name in ('import torch', 'irsde --help',
                                   'irsde restore', 'its network')}
    for i in range(args.repeats):
        jobs = dict(zip(times, (
            ('-c', 'import torch'), (*IRSDE, '--help'),
            (*IRSDE, 'restore', photo, '--task', TASK, *device, '--out',
             folder / str(i)))))
        for name, command in jobs.items():
            times[name].append(seconds(lambda: start(*command)))
        times['its network'].append(network())
    return times


def time_training(args: argparse.Namespace) -> dict:
    """Return the seconds of each round of training, by command."""
    jobs = {'train.py --help': lambda: start(TRAIN, '--help'),
            'one iteration': lambda: one_iteration(args.config)}
    return {name: [seconds(job) for _ in range(args.repeats)]
            for name, job in jobs.items()}


def make_photo(folder: Path) -> Path:
    """Write a photo of noise."""
    import numpy as np
    from PIL import Image
    path = folder / 'photo.jpg'
    Image.fromarray(np.random.default_rng(0).integers(
        0, 256, (SIZE[1], SIZE[0], 3), np.uint8)).save(path)
    return path


def network_job(folder: Path, device):
    """Return a function that measures the seconds of the network calls for the
    photo, in this process."""
    from irsde_mm.inference import RestorationPipeline
    from irsde_mm.io.photos import read_photo
    pipeline = RestorationPipeline.from_bundled(TASK, device)
    calls, _ = network_calls(
        pipeline, [read_photo(folder / 'photo.jpg', pipeline.channels)])
    return lambda: seconds_of(calls, pipeline.device)


def one_iteration(config: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        start(TRAIN, config, '--work-dir', folder, '--cfg-options',
              'train_cfg.max_iters=1', 'val_cfg=None', 'val_dataloader=None',
              'val_evaluator=None',
              'default_hooks.checkpoint.save_best=None')


def start(*arguments) -> None:
    from irsde_mm.errors import ConfigError
    result = subprocess.run([sys.executable, *map(str, arguments)],
                            capture_output=True, text=True)
    if result.returncode:
        found = re.search(r'^error: (.*)', result.stderr, re.M)
        raise ConfigError(found[1] if found else result.stderr.strip()[-500:])


def show(figures: dict, ratio: float, args: argparse.Namespace) -> None:
    limits = {'irsde --help': HELP, 'irsde restore':
              IMPORTS * figures['import torch'] + figures['its network']}
    print_table(
        ('', 's', 'limit'),
        [(name, f'{value:.2f}', f'{limits[name]:.2f}'
          if name in limits else '') for name, value in figures.items()],
        title=f'medians of {args.repeats}' + (
            f', {args.config}' if args.config else ''),
        caption='irsde restore: a photo of {}x{}, --task {}; the limit is {} '
        'times import torch plus its network, of which it takes {:.2f}'.format(
            *SIZE, TASK, IMPORTS, ratio))
