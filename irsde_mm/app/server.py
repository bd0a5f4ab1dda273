"""Serving the page, without access to anything else."""
import re
import signal
import socket

import gradio as gr
import jinja2
import uvicorn
from fastapi import FastAPI
from gradio.routes import templates
from starlette.datastructures import MutableHeaders

from ..errors import ConfigError

MAX_FILE = '50mb'
#: A browser loads nothing for the page from elsewhere. Gradio writes scripts
#: and styles into it, compiles at run time, and shows pictures from memory.
POLICY = ("default-src 'self'; script-src 'self' 'unsafe-inline' "
          "'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
          "img-src 'self' data: blob:; font-src 'self' data:; "
          "worker-src 'self' blob:; object-src 'none'; base-uri 'self'")
ELSEWHERE = re.compile(r'<(link|script)\b[^>]*"https?:[^>]*>(</script>)?')


class OwnTemplates(jinja2.FileSystemLoader):
    """Gradio's pages without what they fetch from other hosts."""

    def get_source(self, *where):
        source, *rest = super().get_source(*where)
        return ELSEWHERE.sub('', source), *rest


class Policy:
    """Sends the policy with every answer."""

    def __init__(self, app) -> None:
        self.app = app

    async def __call__(self, scope, receive, send) -> None:
        async def send_with_policy(message) -> None:
            if message['type'] == 'http.response.start':
                MutableHeaders(scope=message)[
                    'Content-Security-Policy'] = POLICY
            await send(message)

        await self.app(scope, receive, send_with_policy)


def build_app(page: gr.Blocks) -> FastAPI:
    """The page as an application that serves uploads and nothing else.

    Files of the machine are out of reach, and errors have no tracebacks.

    Args:
        page (gradio.Blocks): What :func:`build_page` returns.
    """
    templates.env.loader = OwnTemplates(templates.env.loader.searchpath)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Policy)
    # launch() says so; without it, mounted as here, visitors could name any
    # file of the machine as what they have uploaded
    page.has_launched = True
    gr.mount_gradio_app(app, page, '/', show_api=False, show_error=False,
                        allowed_paths=[], max_file_size=MAX_FILE,
                        ssr_mode=False)
    # would answer with tracebacks
    next(route.app for route in app.routes if isinstance(
        getattr(route, 'app', None), gr.routes.App)).debug = False
    return app


def listen(host: str, port: int) -> socket.socket:
    """A socket at an address of this machine.

    Raises:
        ConfigError: If there is no such address or port, or it is taken.
    """
    try:
        return socket.create_server((host, port))
    except (OSError, OverflowError) as error:
        # of a taken port it says the address again, in brackets
        reason = str(getattr(error, 'strerror', None) or error).split(' (')[0]
        raise ConfigError(f'cannot listen on {host}, port {port}: {reason}; '
                          'choose another --host or --port.') from None


def serve(app: FastAPI, listener: socket.socket) -> None:
    """Answers requests until ctrl-C or SIGTERM.

    Raises:
        KeyboardInterrupt: At the end.
    """
    # uvicorn sends itself again what ended it: as ctrl-C, this process tidies
    # up before it goes
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    uvicorn.Server(uvicorn.Config(app, log_level='warning',
                                  timeout_graceful_shutdown=3)).run([listener])
