"""Serve a web page that restores photos."""
import argparse
import ipaddress
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from ..errors import building

MAX_PIXELS = 16_000_000


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--host', default='127.0.0.1', help='address to '
                        'listen on (default: %(default)s, this machine only)')
    parser.add_argument('--port', type=int, default=7860,
                        help='port (default: %(default)s)')
    parser.add_argument('--model', help='work directory of a training run, '
                        'weights file, or name of a bundled model (default: '
                        'all bundled models)')
    parser.add_argument('--max-pixels', type=int, default=MAX_PIXELS,
                        help='reject photos with more pixels (default: '
                        '%(default)s)')
    parser.add_argument('--device', help='cpu, cuda, cuda:1, ...')
    return parser


def main(args: argparse.Namespace) -> None:
    from ..errors import missing_package
    try:
        import gradio  # noqa: F401
    except ImportError as error:
        raise missing_package(error) or error from error
    from ..app.page import build_page
    from ..app.server import build_app, listen, serve
    listener = listen(args.host, args.port)
    with listener, private_folder():
        desk = open_desk(args)
        app = build_app(build_page(desk))
        host, port = listener.getsockname()[:2]
        print(f'serving at http://{host}:{port} (press Ctrl-C to stop)',
              flush=True)
        if not is_loopback(host):
            print(f'warning: anyone who can reach {host} can use this page, '
                  'without a password.', file=sys.stderr)
        try:
            serve(app, listener)
        finally:
            desk.close()


@contextmanager
def private_folder() -> Iterator[None]:
    """Use a private folder for temporary files and delete it at the end.

    Gradio stores uploaded photos in the folder for temporary files, which is
    shared by all users of the machine.
    """
    shared = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix='irsde_app_') as folder:
        tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = shared


def is_loopback(host: str) -> bool:
    return ipaddress.ip_address(host).is_loopback


def open_desk(args: argparse.Namespace):
    """Create the handler of the page's events for the requested models.

    The first model is loaded immediately, so that errors in it are reported
    at startup.

    Raises:
        ConfigError, CheckpointError: If a model cannot be used.
    """
    from ..app.desk import Desk
    from ..errors import ConfigError
    from ..model_files import bundled_models
    if args.max_pixels < 1:
        raise ConfigError('--max-pixels must be at least 1.')
    models = {name: str(path) for name, path in bundled_models().items()}
    if args.model:
        models = {Path(args.model).stem: args.model}
    if not models:
        raise ConfigError('no bundled models are installed: specify a model '
                          'with --model.')
    desk = Desk(models, args.max_pixels, args.device)
    with building(f"'{next(iter(models))}' cannot be loaded"):
        desk.inferencer(next(iter(models)))
    return desk
