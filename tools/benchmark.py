"""Run a benchmark: python tools/benchmark.py speed|data|memory|... OPTIONS"""
import argparse
from pathlib import Path

from benchmarks import (bundled, coverage, data, data_consistency, memory,
                        quality, sampling, scale, shards, signal_leak, speed,
                        startup, training_memory, video)

from irsde_mm.commands import cli

# measured several times
TIMES = (speed, data, shards, memory, startup)
# these write one JSON file, the others a folder
FILES = (*TIMES, bundled, coverage, scale, signal_leak, training_memory,
         video)


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest='benchmark', required=True)
    for module in (*FILES, sampling, quality, data_consistency):
        name = module.__name__.split('.')[-1]
        command = commands.add_parser(name, help=module.__doc__.split('\n')[0],
                                      description=module.__doc__)
        module.add_arguments(command)
        command.add_argument('--device', help='cpu, cuda, ...')
        if module in TIMES:
            command.add_argument('--repeats', type=int, default=9,
                                 help='measurements (default: %(default)s)')
        if module in FILES:
            command.add_argument('--out', help='JSON file for the results')
        command.set_defaults(module=module)
    return parser


def main(args: argparse.Namespace) -> None:
    from irsde_mm.errors import ConfigError, OutputError
    from irsde_mm.io.photos import prepare_folder
    from irsde_mm.io.plain_json import to_json
    for name in ('size', 'steps', 'batches', 'repeats', 'images',
                 'batch_size', 'members', 'accumulate', 'shards'):
        if getattr(args, name, None) is not None and getattr(args, name) < 1:
            raise ConfigError(f'--{name} must be at least 1.')
    to_file = args.module in FILES and args.out
    if to_file:
        if Path(args.out).exists():
            raise OutputError(f"'{args.out}' exists and is not overwritten.")
        prepare_folder(Path(args.out).parent)
    figures = args.module.run(args)
    if to_file:
        Path(args.out).write_text(to_json(figures, indent=2) + '\n')


if __name__ == '__main__':
    cli.run(main, parser())
