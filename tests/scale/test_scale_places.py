"""Folders and addresses: listing, writing whole or not at all, errors."""
import errno
import io
import os
import tarfile

import pytest
from irsde_mm.errors import ConfigError, DataError
from irsde_mm.scale import places, retrying
from irsde_mm.scale.items import Item
from irsde_mm.scale.places import Place
from irsde_mm.io.addresses import reaching
from irsde_mm.scale.retrying import is_transient, persist
from irsde_mm.scale.sources import Source, name_of, read_item


@pytest.fixture(params=['folder', 'memory'])
def place(request, tmp_path):
    """An empty folder on disk, or an address."""
    if request.param == 'folder':
        yield Place(str(tmp_path / 'place'))
        return
    place = Place('memory://place/of/photos')
    yield place
    place.fs.store.clear()


def test_write_list_read(place):
    place.create('b/c.png', b'two')
    place.create('a.png', b'one')
    place.create('.hidden/a.png', b'no')
    assert sorted(name for name, _ in place.walk()) == ['a.png', 'b/c.png']
    assert place.read('b/c.png') == b'two'
    assert place.exists('a.png') and not place.exists('b.png')
    with pytest.raises(FileExistsError):
        place.create('a.png', b'three')
    assert place.read('a.png') == b'one'


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    place = Place(tmp_path)

    def full(part, path):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(places, 'publish', full)
    with pytest.raises(OSError, match='No space'):
        place.create('a.png', b'one')
    assert [path for path in tmp_path.rglob('*') if path.is_file()] == []


def test_names_of_places(tmp_path):
    assert Place(f'file://{tmp_path}') == Place(tmp_path)
    assert Place('memory://a/b/').address == 'memory://a/b'
    assert Place(tmp_path).holds(Place(tmp_path / 'a'))
    assert Place(tmp_path).holds(Place(tmp_path))
    assert not Place(tmp_path / 'a').holds(Place(tmp_path / 'ab'))
    assert not Place('memory://a').holds(Place(tmp_path))
    assert Place('memory://a').holds(Place('memory://a/b'))
    (tmp_path / 'link').symlink_to(tmp_path)
    assert Place(tmp_path).holds(Place(tmp_path / 'link' / 'x'))


@pytest.mark.parametrize('error, kind, words', [
    (ImportError('Install s3fs to access S3'), ConfigError,
     "'a://b' needs a package"),
    (PermissionError('Access Denied'), DataError, 'forbidden.*credentials'),
    (FileNotFoundError('x'), DataError, 'does not exist'),
    (RuntimeError('no\nroute'), DataError, r'cannot be read \(no route\)')])
def test_errors_of_addresses(error, kind, words):
    with pytest.raises(kind, match=words), reaching('a://b'):
        raise error


@pytest.mark.parametrize('package, words', [
    ('s3fs', r"irsde-mm\[s3\]"), ('gcsfs', 'pip install gcsfs')])
def test_missing_packages(package, words):
    with pytest.raises(ConfigError, match=words), reaching('a://b'):
        raise ImportError('Install it') from ModuleNotFoundError(name=package)


def test_an_address_that_does_not_answer(monkeypatch):
    monkeypatch.setattr(places, 'PATIENCE', 0.01)
    import threading
    never = threading.Event()
    with pytest.raises(DataError, match="'a://b' does not answer"):
        places.in_time(never.wait, 'a://b')
    never.set()


def test_tries():
    left = [TimeoutError('slow'), OSError(errno.EIO, 'broken')]
    pauses = []

    def call():
        if left:
            raise left.pop()
        return 'read'

    assert persist(call, 2, pauses.append) == 'read'
    assert pauses == [0, 1]
    left = [TimeoutError('slow')] * 3
    with pytest.raises(TimeoutError):
        persist(call, 2, pauses.append)
    left = [FileNotFoundError()] * 2
    with pytest.raises(FileNotFoundError):
        persist(call, 2, pauses.append)
    assert len(left) == 1


def test_waits_grow(monkeypatch):
    waits = []
    monkeypatch.setattr(retrying.time, 'sleep', waits.append)
    for tries in (0, 3, 30):
        retrying.wait(tries)
    assert 0.25 <= waits[0] <= 0.5 and 2 <= waits[1] <= 4
    assert 15 <= waits[2] <= 30


def test_transient_errors_of_the_reader():
    """It converts them to its own."""
    for cause, expected in ((OSError(errno.ESTALE, 'Stale handle'), True),
                            (PermissionError(13, 'no'), False),
                            (OSError('cannot identify'), False)):
        try:
            try:
                raise cause
            except OSError:
                raise DataError('not readable') from None
        except DataError as error:
            assert is_transient(error) == expected
    assert not is_transient(DataError('broken'))


# ---------------------------------------------------------------- sources


def test_folder(tmp_path):
    for name in ('b/a.jpg', 'a.png', 'notes.txt', 'x.mp4', 'y.gif',
                 '.hidden/a.png', '._a.png'):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b'x')
    source = Source(str(tmp_path))
    assert list(source) == [Item('a.png'), Item('b/a.jpg')]
    assert (source.clips, source.first_clip) == (2, 'x.mp4')
    assert [item.file for item in source] == ['a.png', 'b/a.png']


def test_one_photo(tmp_path):
    (tmp_path / 'a.b.png').write_bytes(b'abc')
    item, = Source(f'{tmp_path}/a.b.png')
    assert (item.name, item.file) == ('a.b.png', 'a.b.png')
    place = Place(tmp_path / 'a.b.png')
    assert read_item(place, item) == b'abc'
    assert name_of(place, item) == f'{tmp_path}/a.b.png'


def pack(path, members: dict) -> None:
    with tarfile.open(path, 'w') as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def test_shards(tmp_path):
    pack(tmp_path / 'p-00.tar', {'./a.jpg': b'one', 'a.txt': b'no',
                                 'sub/b.png': b'two', '.x.png': b'no'})
    pack(tmp_path / 'p-01.tar', {'long/' * 40 + 'c.png': b'three'})
    items = list(Source(f'{tmp_path}/p-{{00..01}}.tar'))
    assert [item.name for item in items] == [
        'a.jpg', 'sub/b.png', 'long/' * 40 + 'c.png']
    place = Place(tmp_path / 'p-00.tar')
    assert [read_item(place, item) for item in items] == [
        b'one', b'two', b'three']
    assert name_of(place, items[0]) == f'{tmp_path}/p-00.tar/a.jpg'


def test_shards_at_an_address(tmp_path):
    pack(tmp_path / 'x.tar', {'a.jpg': b'one' * 50_000, 'b.jpg': b'two'})
    place = Place('memory://shards')
    place.create('x.tar', (tmp_path / 'x.tar').read_bytes())
    items = list(Source('memory://shards/x.tar'))
    assert [read_item(place, item) for item in items] == [
        b'one' * 50_000, b'two']
    place.fs.store.clear()


@pytest.mark.parametrize('content', [b'no tar' * 500, b''])
def test_damaged_shards(content, tmp_path):
    (tmp_path / 'x.tar').write_bytes(content)
    with pytest.raises(DataError, match=r"x.tar' is not a tar file"):
        list(Source(str(tmp_path / 'x.tar')))


def test_truncated_shards(tmp_path):
    path = tmp_path / 'x.tar'
    pack(path, {'a.jpg': os.urandom(5000), 'b.jpg': os.urandom(5000)})
    path.write_bytes(path.read_bytes()[:8000])
    with pytest.raises(DataError, match=r"x.tar' is not a tar file"):
        list(Source(str(path)))


@pytest.mark.parametrize('name', ['../a.jpg', '/a.jpg', 'a//b.jpg'])
def test_names_that_lead_out(name, tmp_path):
    pack(tmp_path / 'x.tar', {name: b'one'})
    with pytest.raises(DataError, match='cannot be the name of a result'):
        list(Source(str(tmp_path / 'x.tar')))


@pytest.mark.parametrize('address, words', [
    ('gone', "gone' does not exist"), ('memory://gone', 'does not exist'),
    ('memory://x/*.jpg', 'not a pattern'), ('gone.tar', 'gone.tar'),
    ('unknown://x', 'unknown')])
def test_missing(address, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=words):
        list(Source(address))


def test_a_body_that_is_cut(tmp_path):
    pack(tmp_path / 'x.tar', {'a.jpg': b'one'})
    item, = Source(str(tmp_path / 'x.tar'))
    with open(tmp_path / 'x.tar', 'r+b') as file:
        file.truncate(item.offset + 1)
    with pytest.raises(OSError, match='1 of 3 bytes arrived') as error:
        read_item(Place(tmp_path), item)
    assert is_transient(error.value)
