"""What passes before a tool answers and before training begins."""
import argparse
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from .common import seconds

TRAIN = Path(__file__).parents[1] / 'train.py'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config', help='path or name of a config with '
                        'iterations')


def run(args: argparse.Namespace) -> dict:
    """``train.py --help``, and a whole training of one iteration without
    validation, each in processes of their own.

    Raises:
        ConfigError: If the config cannot be trained.
    """
    from rich.console import Console
    from rich.table import Table
    jobs = {'help': lambda: start('--help'),
            'one iteration': lambda: one_iteration(args.config)}
    figures = {name: statistics.median(
        seconds(job) for _ in range(args.repeats))
        for name, job in jobs.items()}
    table = Table(title=f'{args.config}, medians of {args.repeats}')
    table.add_column('train.py')
    table.add_column('s', justify='right')
    for name, value in figures.items():
        table.add_row(name, f'{value:.2f}')
    Console().print(table)
    return dict(config=args.config, seconds=figures)


def one_iteration(config: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        start(config, '--work-dir', folder, '--cfg-options',
              'train_cfg.max_iters=1', 'val_cfg=None', 'val_dataloader=None',
              'val_evaluator=None',
              'default_hooks.checkpoint.save_best=None')


def start(*arguments: str) -> None:
    from irsde_mm.errors import ConfigError
    result = subprocess.run([sys.executable, str(TRAIN), *arguments],
                            capture_output=True, text=True)
    if result.returncode:
        found = re.search(r'^error: (.*)', result.stderr, re.M)
        raise ConfigError(found[1] if found else result.stderr.strip()[-500:])
