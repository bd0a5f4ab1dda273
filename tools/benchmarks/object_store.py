"""An object store with the interface of S3, on this machine."""
import threading
import time
from collections import Counter

#: A key that moto accepts; its server checks none.
KEY = 'local'
REGION = 'eu-central-1'


class ObjectStore:
    """A server of moto on 127.0.0.1, empty at first, as a context manager.

    Args:
        bucket (str): Name of the bucket that it contains.
        delay (float): Seconds that every answer takes longer, such as those
            of a store that is not on this machine.

    Attributes:
        requests (Counter): Number of requests by HTTP method.
    """

    def __init__(self, bucket: str = 'photos', delay: float = 0.):
        self.bucket, self.delay = bucket, delay
        self.requests = Counter()
        self.lock = threading.Lock()

    def __enter__(self):
        from moto.moto_server.werkzeug_app import (DomainDispatcherApplication,
                                                   create_backend_app)
        from werkzeug.serving import WSGIRequestHandler, make_server

        class Quiet(WSGIRequestHandler):

            def log_request(self, *args):
                pass

        self.app = DomainDispatcherApplication(create_backend_app)
        self.server = make_server('127.0.0.1', 0, self.answer, threaded=True,
                                  request_handler=Quiet)
        self.url = f'http://127.0.0.1:{self.server.server_port}'
        self.thread = threading.Thread(target=self.server.serve_forever,
                                       daemon=True)
        self.thread.start()
        self.files().mkdir(self.bucket)
        self.requests.clear()
        return self

    def __exit__(self, *error):
        from moto.backends import get_backend
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        get_backend('s3').reset()

    @property
    def environment(self) -> dict:
        """Variables that lead s3fs, in any process, to this store."""
        return dict(AWS_ENDPOINT_URL=self.url, AWS_ACCESS_KEY_ID=KEY,
                    AWS_SECRET_ACCESS_KEY=KEY, AWS_DEFAULT_REGION=REGION,
                    NO_PROXY='127.0.0.1')

    def files(self):
        """Return a new file system of fsspec on this store."""
        from s3fs import S3FileSystem
        return S3FileSystem(
            endpoint_url=self.url, key=KEY, secret=KEY,
            client_kwargs=dict(region_name=REGION), use_listings_cache=False,
            skip_instance_cache=True)

    def answer(self, environ: dict, start_response):
        """Answer a request (WSGI)."""
        with self.lock:
            self.requests[environ['REQUEST_METHOD']] += 1
        time.sleep(self.delay)
        return self.respond(environ, start_response)

    def respond(self, environ: dict, start_response):
        return self.app(environ, start_response)
