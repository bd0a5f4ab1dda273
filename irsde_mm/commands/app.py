"""Restore photos on a web page."""
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
                        help='refuse photos with more pixels (default: '
                        '%(default)s)')
    parser.add_argument('--device', help='cpu, cuda, cuda:1, ...')
    return parser


def main(args: argparse.Namespace) -> None:
    # before Gradio is imported, which creates a folder there
    with private_tempdir():
        run(args)


def run(args: argparse.Namespace) -> None:
    """Serve the page until Ctrl-C.

    Raises:
        ConfigError, CheckpointError: If an option or a model cannot be used.
    """
    from ..errors import missing_package
    try:
        import gradio  # noqa: F401
    except ImportError as error:
        raise missing_package(error) or error from error
    from ..app.page import build_page
    from ..app.server import build_app, listen, serve
    with listen(args.host, args.port) as listener:
        service = open_service(args)
        app = build_app(build_page(service))
        host, port = listener.getsockname()[:2]
        print(f'the page is at http://{host}:{port} (press Ctrl-C to stop)',
              flush=True)
        if not is_loopback(host):
            print(f'warning: anyone who can reach {host} can use the page; '
                  'it has no password.', file=sys.stderr)
        try:
            serve(app, listener)
        finally:
            service.close()


@contextmanager
def private_tempdir() -> Iterator[None]:
    """Use a private folder for temporary files and delete it at the end.

    Gradio keeps photos in the folder for temporary files, which all users of
    the machine share.
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


def open_service(args: argparse.Namespace):
    """Create the service, and load its first model to report errors early.

    Raises:
        ConfigError, CheckpointError: If a model cannot be used.
    """
    from ..app.service import RestorationService
    from ..errors import ConfigError
    from ..model_files import bundled_models
    if args.max_pixels < 1:
        raise ConfigError('--max-pixels must be at least 1.')
    models = {name: str(path) for name, path in bundled_models().items()}
    if args.model:
        models = {Path(args.model).stem: args.model}
    if not models:
        raise ConfigError('no bundled models; choose a model with --model.')
    service = RestorationService(models, args.max_pixels, args.device)
    with building(f"'{next(iter(models))}' cannot be opened"):
        service.inferencer(next(iter(models)))
    return service
