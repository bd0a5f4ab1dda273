"""What the installed command `irsde` can do, a module for each."""
import argparse
import importlib
import pkgutil

from .. import cli


def names() -> list:
    """The commands: modules with ``parser()`` and ``main(args)``."""
    return [module.name for module in pkgutil.iter_modules(__path__)]


def load(name: str):
    """The module of a command."""
    return importlib.import_module(f'.{name}', __name__)


def parser() -> argparse.ArgumentParser:
    """What finds the command; its own parser takes what follows, so that
    asking for one command's help does not build those of all."""
    about = '\n'.join(f'  {name:9}{load(name).__doc__.splitlines()[0]}'
                      for name in names())
    parser = argparse.ArgumentParser(
        prog='irsde', description='Restores images with diffusion.',
        epilog=f'{about}\n\nirsde COMMAND --help says more.',
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('command', choices=names())
    parser.add_argument('arguments', nargs=argparse.REMAINDER,
                        help='of the command')
    return parser


def main() -> None:
    """The entry point of `irsde`."""
    args = parser().parse_args()
    command = load(args.command)
    options = command.parser()
    options.prog = f'irsde {args.command}'
    cli.run(command.main, options, args.arguments)
