"""The commands of the installed `irsde`, a module for each."""
import argparse
import importlib
import sys

from ..errors import missing_package
from . import cli

#: Modules with ``parser()`` and ``main(args)``.
COMMANDS = ('app', 'restore', 'test', 'train')


def load(name: str):
    """The module of a command."""
    return importlib.import_module(f'.{name}', __name__)


def parser() -> argparse.ArgumentParser:
    """The parser that finds the command; its own parser takes the rest, so
    that one command's help does not build those of all."""
    about = '\n'.join(f'  {name:9}{load(name).__doc__.splitlines()[0]}'
                      for name in COMMANDS)
    parser = argparse.ArgumentParser(
        prog='irsde', description='Restores images with diffusion.',
        epilog=f'{about}\n\nirsde COMMAND --help says more.',
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('command', choices=COMMANDS)
    parser.add_argument('arguments', nargs=argparse.REMAINDER,
                        help='of the command')
    return parser


def main() -> None:
    """The entry point of `irsde`."""
    args = parser().parse_args()
    command = load(args.command)
    try:
        options = command.parser()
    except ImportError as error:
        if missing_package(error) is None:
            raise
        print(f'error: {missing_package(error)}', file=sys.stderr)
        sys.exit(cli.USAGE_ERROR)
    options.prog = f'irsde {args.command}'
    cli.run(command.main, options, args.arguments)
