"""Web server of the page, which gives access to nothing else."""
import re
import signal
import socket

import gradio as gr
import jinja2
import uvicorn
from fastapi import FastAPI
from gradio.routes import templates
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse

from ..errors import ConfigError
from . import view
from .page import build_theme

MAX_FILE = '50mb'
#: The browser loads nothing from other hosts. Gradio uses inline scripts and
#: styles, compiles code at run time, and shows images from memory.
POLICY = ("default-src 'self'; script-src 'self' 'unsafe-inline' "
          "'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
          "img-src 'self' data: blob:; font-src 'self' data:; "
          "worker-src 'self' blob:; object-src 'none'; base-uri 'self'")
#: Paths that the page uses. Gradio has more, such as descriptions of its API
#: and a proxy for files of other hosts.
SERVED = re.compile(r'/(config|theme\.css|favicon\.ico|(assets|static)/.+|'
                    r'gradio_api/(upload|upload_progress|'
                    r'queue/(join|data)|run/predict|cancel|reset|'
                    r'heartbeat/\w+|file=(?!\w\w+:).+))?')
EXTERNAL = re.compile(r'<(link|script)\b[^>]*"https?:[^>]*>(</script>)?')


class LocalTemplates(jinja2.FileSystemLoader):
    """Gradio's templates without resources of other hosts."""

    def get_source(self, *args):
        source, *rest = super().get_source(*args)
        return EXTERNAL.sub('', source), *rest


class Guard:
    """Serve only what the page uses, and send the policy with it."""

    def __init__(self, app) -> None:
        self.app = app

    async def __call__(self, scope, receive, send) -> None:
        async def send_with_policy(message) -> None:
            if message['type'] == 'http.response.start':
                MutableHeaders(scope=message)[
                    'Content-Security-Policy'] = POLICY
            await send(message)

        app = self.app
        if scope['type'] != 'lifespan' and not SERVED.fullmatch(scope['path']):
            app = PlainTextResponse('Not Found', 404)
        await app(scope, receive, send_with_policy)


def build_app(page: gr.Blocks) -> FastAPI:
    """Build an application that serves the page and its uploads.

    Files of the machine are not accessible, and errors have no tracebacks.

    Args:
        page (gradio.Blocks): The result of :func:`build_page`.
    """
    templates.env.loader = LocalTemplates(templates.env.loader.searchpath)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard)
    # launch() sets this; a mounted page without it would accept the path of
    # any file of the machine as an upload
    page.has_launched = True
    gr.mount_gradio_app(
        app, page, '/', theme=build_theme(), css=view.CSS, footer_links=[],
        run_history=False, show_error=False, allowed_paths=[],
        max_file_size=MAX_FILE, ssr_mode=False, mcp_server=False, pwa=False,
        enable_monitoring=False)
    # responses would contain tracebacks
    next(route.app for route in app.routes if isinstance(
        getattr(route, 'app', None), gr.routes.App)).debug = False
    return app


def listen(host: str, port: int) -> socket.socket:
    """Open a socket at an address of this machine.

    Raises:
        ConfigError: If the address or port does not exist or is in use.
    """
    try:
        return socket.create_server((host, port))
    except (OSError, OverflowError) as error:
        # for a port in use, the text repeats the address in brackets
        reason = str(getattr(error, 'strerror', None) or error).split(' (')[0]
        raise ConfigError(f'cannot listen on {host}, port {port}: {reason}; '
                          'choose another --host or --port.') from None


def serve(app: FastAPI, listener: socket.socket) -> None:
    """Serve requests until Ctrl-C or SIGTERM.

    Raises:
        KeyboardInterrupt: When the server has stopped.
    """
    # uvicorn raises the signal that stopped it again; as Ctrl-C it lets this
    # process clean up
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    uvicorn.Server(uvicorn.Config(app, log_level='warning',
                                  timeout_graceful_shutdown=3)).run([listener])
