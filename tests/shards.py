"""Small shards, and an object store on this machine."""
import io
import os
import tarfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Dict, Iterator, Optional
from unittest import mock
from urllib.request import Request, urlopen

import numpy as np
from irsde_mm.io.shard_writing import make_index, write_index
from PIL import Image

BUCKET = 's3://photos'


def png(seed: int, size=(40, 30), kind='PNG') -> bytes:
    """Return an image of noise."""
    pixels = np.random.default_rng(seed).integers(
        0, 256, (*size[::-1], 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def pairs(*keys: str) -> Dict[str, bytes]:
    """Return the members of pairs."""
    return {f'{key}.{field}.png': png(sum(f'{key}{field}'.encode()))
            for key in keys for field in ('input', 'target')}


def write_tar(path: Path, members: Dict[str, bytes], index=True) -> Path:
    """Write a tar file, and its index."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, 'w') as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    if index:
        write_index(str(path), make_index(str(path)).index)
    return path


def damage(path: Path, name: str) -> None:
    """Change a byte in the middle of a member."""
    with tarfile.open(path) as archive:
        info = archive.getmember(name)
    with open(path, 'rb+') as file:
        file.seek(info.offset_data + info.size // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 255]))


@contextmanager
def object_store(answer: Optional[Callable] = None
                 ) -> Iterator[Dict[str, str]]:
    """Run moto's server with an empty bucket, and point s3fs at it.

    Args:
        answer (callable, optional): WSGI application that is called with
            moto's as a third argument, to answer in its place.

    Yields:
        dict: Environment variables for other processes.
    """
    import s3fs
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server
    moto = DomainDispatcherApplication(create_backend_app)
    server = make_server(
        '127.0.0.1', 0, moto if answer is None else
        lambda environ, start: answer(environ, start, moto), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f'http://127.0.0.1:{server.server_port}'
    environ = dict(
        AWS_ENDPOINT_URL=url, AWS_ACCESS_KEY_ID='test',
        AWS_SECRET_ACCESS_KEY='test', AWS_DEFAULT_REGION='us-east-1')
    # the buckets belong to the process, not to a server
    urlopen(Request(f'{url}/moto-api/reset', method='POST')).close()
    try:
        with mock.patch.dict(os.environ, environ):
            s3fs.S3FileSystem.clear_instance_cache()
            s3fs.S3FileSystem().mkdir(BUCKET)
            yield environ
    finally:
        s3fs.S3FileSystem.clear_instance_cache()
        server.shutdown()
        thread.join()
        server.server_close()
