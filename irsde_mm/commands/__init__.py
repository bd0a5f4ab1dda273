"""Commands of the `irsde` command-line program, one module each."""
import argparse
import importlib
import sys

from ..errors import missing_package
from . import cli

#: Modules with ``parser()`` and ``main(args)``.
COMMANDS = ('app', 'export', 'restore', 'test', 'train')


def load(name: str):
    """Import the module of a command."""
    return importlib.import_module(f'.{name}', __name__)


def parser() -> argparse.ArgumentParser:
    """Build the top-level parser, which only determines the command.

    The command's own parser handles the remaining arguments, so that the
    parsers of the other commands are not built.
    """
    about = '\n'.join(f'  {name:9}{load(name).__doc__.splitlines()[0]}'
                      for name in COMMANDS)
    parser = argparse.ArgumentParser(
        prog='irsde', description='Image restoration with diffusion models.',
        epilog=f'{about}\n\nRun irsde COMMAND --help for its options.',
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('command', choices=COMMANDS)
    parser.add_argument('arguments', nargs=argparse.REMAINDER,
                        help='arguments of the command')
    return parser


def main() -> None:
    """Run the `irsde` program."""
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
