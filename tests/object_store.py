"""An object store that fails as real ones do, for the tests."""
import random
import socket
from collections import Counter
from dataclasses import dataclass, field

from benchmarks.object_store import ObjectStore

CODES = {403: 'AccessDenied', 500: 'InternalError', 503: 'SlowDown'}


@dataclass
class Fault:
    """Injected faults and the requests that they affect.

    Args:
        kind (int | str): Status of the answer, 'cut' (the body ends in the
            middle) or 'lost' (the request is carried out, and the connection
            ends without an answer).
        method (str): HTTP method of the requests.
        key (str): Part of their keys.
        times (float): How many of them at most.
        share (float): Share of them.
    """
    kind: object
    method: str
    key: str = ''
    times: float = float('inf')
    share: float = 1.
    rng: random.Random = field(default_factory=lambda: random.Random(0))

    def occurs(self, method: str, path: str) -> bool:
        if (method != self.method or self.key not in path or self.times < 1
                or self.rng.random() >= self.share):
            return False
        self.times -= 1
        return True


class FaultyStore(ObjectStore):
    """An object store with faults.

    Attributes:
        faults (list[Fault]): Can be changed at any time.
        occurred (Counter): Number of faults by kind.
    """

    def __init__(self, **options):
        super().__init__(**options)
        self.faults = []
        self.occurred = Counter()

    def respond(self, environ, start_response):
        request = environ['REQUEST_METHOD'], environ['PATH_INFO']
        with self.lock:
            kind = next((fault.kind for fault in self.faults
                         if fault.occurs(*request)), None)
        if kind is None:
            return super().respond(environ, start_response)
        self.occurred[kind] += 1
        if kind in CODES:
            return refuse(kind, environ, start_response)
        return interrupted(kind, super().respond, environ, start_response)


def refuse(status: int, environ: dict, start_response):
    """Answer with an error, as S3 does."""
    # read it, or else the client cannot write it
    environ['wsgi.input'].read(int(environ.get('CONTENT_LENGTH') or 0))
    body = f'<Error><Code>{CODES[status]}</Code></Error>'.encode()
    start_response(f'{status} {CODES[status]}', [
        ('Content-Type', 'application/xml'),
        ('Content-Length', str(len(body)))])
    return [] if environ['REQUEST_METHOD'] == 'HEAD' else [body]


def interrupted(kind: str, app, environ: dict, start_response):
    """Carry out a request, and send half of the body or nothing."""
    started = []
    body = b''.join(app(environ, lambda *start: started.append(start)))
    if kind == 'lost':
        environ['werkzeug.socket'].shutdown(socket.SHUT_RDWR)
    status, headers, *_ = started[0]
    start_response(status, headers)
    return [body[:len(body) // 2]]
