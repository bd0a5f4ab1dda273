"""Object stores that fail: each result is there once and intact, or its photo
has failed with a reason."""
import io
import os
import sqlite3
import subprocess
import sys

import numpy as np
import pytest
from conftest import FIGURES, ROOT, run_tool
from object_store import Fault, FaultyStore
from PIL import Image

PHOTOS = 12
OPTIONS = ['--task', 'derain', '--steps', '2', '--batch-size', '1']
SOURCE, TARGET = 's3://photos/in', 's3://photos/out'
MANIFEST = 'photos/out/.irsde/manifest.sqlite'

pytestmark = pytest.mark.slow


def draw(seed: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(
        0, 256, (24, 32, 3), np.uint8)).save(file, 'PNG')
    return file.getvalue()


@pytest.fixture(scope='module')
def photos():
    """Contents of photos by name."""
    return {f'{i % 2}/p{i}.png': draw(i) for i in range(PHOTOS)}


@pytest.fixture(scope='module')
def expected(photos, tmp_path_factory):
    """Results of a folder with these photos."""
    folder = tmp_path_factory.mktemp('folder')
    for name, content in photos.items():
        path = folder / 'in' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    out = folder / 'out'
    assert run_tool('restore', folder / 'in', *OPTIONS, '--engine', 'local',
                    '--out', out) == 0
    return {str(path.relative_to(out)): path.read_bytes()
            for path in out.rglob('*.png')}


@pytest.fixture
def store(photos, monkeypatch):
    """A store with the photos, which this process and its children find."""
    from s3fs import S3FileSystem
    with FaultyStore() as store:
        for name, value in store.environment.items():
            monkeypatch.setenv(name, value)
        S3FileSystem.clear_instance_cache()
        for name, content in photos.items():
            store.files().pipe(f'photos/in/{name}', content)
        store.requests.clear()
        yield store
    S3FileSystem.clear_instance_cache()


@pytest.fixture
def count(store):
    """Count the faults of a test that has passed."""
    yield
    for kind, number in store.occurred.items():
        FIGURES['faults of an object store'][str(kind)] += number


def restore(*options, target=TARGET) -> int:
    return run_tool('restore', SOURCE, *OPTIONS, '--out', target, *options)


def results(store) -> dict:
    files = store.files()
    return {path.removeprefix('photos/out/'): files.cat_file(path)
            for path in files.find('photos/out') if path.endswith('.png')}


def manifest(store, tmp_path) -> dict:
    """Return (state, reason, attempts) by the names of the photos."""
    path = tmp_path / 'manifest.sqlite'
    store.files().get_file(MANIFEST, str(path))
    with sqlite3.connect(path) as base:
        return {name: rest for name, *rest in base.execute(
            'SELECT name, state, reason, attempts FROM photos')}


FAULTS = {
    'errors while reading': [Fault(500, 'GET', '/in/', share=.4),
                             Fault(503, 'HEAD', share=.3)],
    'errors while writing': [Fault(503, 'PUT', '/out/', share=.4)],
    'bodies cut': [Fault('cut', 'GET', '/in/', share=.4)],
    'answers lost while reading': [Fault('lost', 'GET', '/in/', share=.3)],
    # the result is there, but the worker does not know
    'answers lost while writing': [Fault('lost', 'PUT', '/out/', share=.3)]}


@pytest.mark.usefixtures('count')
@pytest.mark.parametrize('faults', FAULTS.values(), ids=FAULTS)
def test_faults_that_pass(faults, store, expected, tmp_path):
    store.faults = faults
    assert restore('--retries', '6') == 0
    store.faults = []
    assert sum(store.occurred.values()) >= 2
    assert results(store) == expected
    assert {state for state, *_ in manifest(
        store, tmp_path).values()} == {'done'}
    # nothing but results, manifest and no lock
    assert len(store.files().find('photos/out')) == PHOTOS + 1


def test_slow_store(store, expected):
    store.delay = 0.3
    assert restore('--workers', '2') == 0
    store.delay = 0.
    assert results(store) == expected


@pytest.mark.usefixtures('count')
@pytest.mark.parametrize('kind, reason', [
    ('cut', 'payload'), (500, '500|InternalError'), (403, 'AccessDenied')])
def test_photo_that_stays_unreadable(kind, reason, store, expected, tmp_path,
                                     capfd):
    """It fails with a reason, the others are restored, and the same command
    restores it later."""
    import re
    store.faults = [Fault(kind, 'GET', '/in/1/p3.png')]
    assert restore('--retries', '1') == 1
    store.faults = []
    text = capfd.readouterr().err
    assert f'{SOURCE}/1/p3.png' in text and 'Traceback' not in text
    whole = {name: content for name, content in expected.items()
             if name != '1/p3.png'}
    assert results(store) == whole
    state, why, attempts = manifest(store, tmp_path)['1/p3.png']
    assert state == 'failed' and re.search(reason, why), why
    assert attempts == (1 if kind == 403 else 2)
    assert restore() == 0
    assert results(store) == expected


@pytest.mark.usefixtures('count')
def test_result_that_cannot_be_written(store, expected, tmp_path):
    store.faults = [Fault(500, 'PUT', '/out/1/p3.png')]
    assert restore('--retries', '1') == 1
    store.faults = []
    assert set(expected) - set(results(store)) == {'1/p3.png'}
    assert 'cannot write' in manifest(store, tmp_path)['1/p3.png'][1]
    assert restore() == 0
    assert results(store) == expected


@pytest.mark.usefixtures('count')
@pytest.mark.parametrize('method, key, words', [
    ('GET', '', 'forbidden'), ('PUT', '/out', 'AccessDenied|forbidden')])
def test_forbidden(method, key, words, store, capfd):
    """One line, and nothing is written."""
    import re
    store.faults = [Fault(403, method, key), Fault(403, 'HEAD', key)]
    assert restore() == 2
    store.faults = []
    lines = capfd.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and re.search(f'^error: .*({words})', lines[0])
    assert not results(store)


def test_unreachable(store, capfd, monkeypatch):
    from s3fs import S3FileSystem
    monkeypatch.setenv('AWS_ENDPOINT_URL', 'http://127.0.0.1:1')
    S3FileSystem.clear_instance_cache()
    assert restore() == 2
    lines = capfd.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith(f"error: '{SOURCE}'")


@pytest.mark.usefixtures('count')
def test_killed_while_writing(store, expected):
    """The next run takes over the lock and the results."""
    store.faults = [Fault('lost', 'PUT', '/out/', share=.2)]
    command = [sys.executable, ROOT / 'tools' / 'restore.py', SOURCE,
               *OPTIONS, '--out', TARGET]
    process = subprocess.Popen([*map(str, command)], env={
        **os.environ, 'PYTHONPATH': str(ROOT)}, stderr=subprocess.DEVNULL)
    while process.poll() is None and len(results(store)) < 4:
        pass
    process.kill()
    process.wait()
    store.faults = []
    found = results(store)
    assert found == {name: expected[name] for name in found}
    assert restore() == 0
    assert results(store) == expected


@pytest.mark.usefixtures('count')
def test_ray(store, expected):
    """Workers of Ray read from a store that fails, and write to it."""
    store.faults = [Fault(500, 'GET', '/in/', share=.3),
                    Fault(503, 'PUT', '/out/', share=.3)]
    assert restore('--engine', 'ray', '--workers', '2', '--retries', '6') == 0
    store.faults = []
    assert results(store) == expected
