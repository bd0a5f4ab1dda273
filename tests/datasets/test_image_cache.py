"""Cache of decoded images, in memory or in a file."""
import multiprocessing
import resource
import signal
import warnings

import numpy as np
import pytest
from irsde_mm.datasets import image_cache
from irsde_mm.datasets.transforms import LoadImage, loading
from irsde_mm.errors import DataError, ImageError
from PIL import Image
from torch.utils.data import DataLoader

SIZE = 30_000 / 2**20  # of one image, in MiB


@pytest.fixture
def paths(tmp_path):
    rng = np.random.default_rng(0)
    names = [tmp_path / f'{i}.png' for i in range(3)]
    for name in names:
        Image.fromarray(rng.integers(0, 256, (100, 100, 3), np.uint8)).save(
            name)
    return [str(name) for name in names]


@pytest.fixture
def decoded(monkeypatch):
    """The paths of all decoded images, in order."""
    seen = []

    def read(path, *args):
        seen.append(path)
        return image_reader(path, *args)

    image_reader = loading.read_image
    monkeypatch.setattr(loading, 'read_image', read)
    return seen


@pytest.fixture(params=['memory', 'file'])
def settings(request, tmp_path):
    if request.param == 'memory':
        return dict(cache_mb=1)
    return dict(cache_mb=1, cache_file=str(tmp_path / 'new' / 'images.lmdb'))


def test_image_is_read_once_and_can_be_modified(paths, settings, decoded):
    load, plain = LoadImage('gt', **settings), LoadImage('gt')
    expected = plain(dict(gt_path=paths[0]))['gt']
    decoded.clear()
    for _ in range(3):
        image = load(dict(gt_path=paths[0]))['gt']
        assert np.array_equal(image, expected)
        image[:] = 0
    assert decoded == paths[:1]


def test_gray_and_color_are_cached_separately(paths, settings):
    for kind, channels in (('color', 3), ('grayscale', 1), ('color', 3)):
        image = LoadImage('gt', kind, **settings)(dict(gt_path=paths[0]))['gt']
        assert image.shape == (100, 100, channels)


def test_memory_is_limited(paths, decoded):
    load = LoadImage('gt', cache_mb=70_000 / 2**20)  # two images of 30,000
    for path in paths * 3:
        load(dict(gt_path=path))
    assert decoded == paths + paths[2:] * 2


def test_full_file_is_still_read(paths, tmp_path, decoded):
    file = tmp_path / 'images.lmdb'
    load = LoadImage('gt', cache_mb=0.1, cache_file=file)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        for path in paths * 3:
            load(dict(gt_path=path))
    assert 4 <= len(decoded) < 9 and file.stat().st_size <= 0.1 * 2**20


def test_larger_cache_mb_applies_to_an_open_file(paths, tmp_path, decoded):
    file = str(tmp_path / 'images.lmdb')
    fill(LoadImage('gt', cache_mb=2 * SIZE, cache_file=file), paths)
    load = LoadImage('gt', cache_mb=10, cache_file=file)
    fill(load, paths)
    decoded.clear()
    fill(load, paths)
    assert not decoded


def test_changed_file_is_decoded_again(paths, tmp_path):
    load = LoadImage('gt', cache_mb=1, cache_file=tmp_path / 'images.lmdb')
    load(dict(gt_path=paths[0]))
    Image.new('RGB', (5, 5)).save(paths[0])
    assert load(dict(gt_path=paths[0]))['gt'].shape == (5, 5, 3)


@pytest.mark.parametrize('value', [b'', b'short', bytes(40), b'\xff' * 40])
def test_damaged_entry_is_decoded_again(paths, tmp_path, value):
    load = LoadImage('gt', cache_mb=1, cache_file=tmp_path / 'images.lmdb')
    expected = load(dict(gt_path=paths[0]))['gt']
    store = image_cache._open_file(load.cache.values.file,
                                   load.cache.values.size)
    with store.begin(write=True) as writing:
        writing.put(image_cache._key(paths[0], False), value)
    assert np.array_equal(load(dict(gt_path=paths[0]))['gt'], expected)


def test_max_pixels_applies_to_cached_images(paths, settings):
    load = LoadImage('gt', **settings)
    load(dict(gt_path=paths[0]))
    with pytest.raises(ImageError):
        load(dict(gt_path=paths[0], max_pixels=9999))


class Photos(list):
    """A dataset of (sum of the pixels, number of decoded images)."""

    def __init__(self, paths, load):
        super().__init__(paths)
        self.load = load

    def __getitem__(self, index):
        decoded = []
        real, loading.read_image = loading.read_image, lambda *args: (
            decoded.append(1), real(*args))[1]
        try:
            image = self.load(dict(gt_path=super().__getitem__(index)))['gt']
        finally:
            loading.read_image = real
        return image.astype(int).sum(), len(decoded)


#: Spawned processes import everything again.
START = pytest.mark.parametrize(
    'start', ['fork', pytest.param('spawn', marks=pytest.mark.slow)])


@START
def test_workers_share_a_file(paths, tmp_path, start):
    load = LoadImage('gt', cache_mb=1, cache_file=tmp_path / 'images.lmdb')
    load(dict(gt_path=paths[0]))  # opened before the workers start
    photos = Photos(paths, load)
    plain = [Photos(paths, LoadImage('gt'))[i][0] for i in range(3)]
    for decoded in ([0, 1, 1], [0, 0, 0]):
        rows = list(DataLoader(photos, None, num_workers=2,
                               multiprocessing_context=start))
        assert [row[0] for row in rows] == plain
        assert [row[1] for row in rows] == decoded
    assert photos[2] == (plain[2], 0)


def fill(load, paths):
    for path in paths * 20:
        load(dict(gt_path=path))


@START
def test_processes_write_concurrently(paths, tmp_path, start):
    context = multiprocessing.get_context(start)
    load = LoadImage('gt', cache_mb=4, cache_file=tmp_path / 'images.lmdb')
    many = [context.Process(target=fill, args=(load, paths))
            for _ in range(3)]
    for process in many:
        process.start()
    for process in many:
        process.join()
    assert [process.exitcode for process in many] == [0, 0, 0]
    for path in paths:
        assert np.array_equal(load(dict(gt_path=path))['gt'],
                              LoadImage('gt')(dict(gt_path=path))['gt'])


def test_bad_settings():
    with pytest.raises(ValueError, match='cache_mb'):
        LoadImage('gt', cache_mb=-1)
    with pytest.raises(ValueError, match='cache_file needs cache_mb'):
        LoadImage('gt', cache_file='images.lmdb')


@pytest.mark.parametrize('what', ['text', 'folder', 'below a file', 'cut'])
def test_unusable_files(paths, tmp_path, what):
    file = tmp_path / 'images.lmdb'
    if what == 'text':
        file.write_text('mine ' * 5000)
    elif what == 'folder':
        file.mkdir()
    elif what == 'below a file':
        file = tmp_path / '0.png' / 'images.lmdb'
    else:
        load = LoadImage('gt', cache_mb=1, cache_file=file)
        load(dict(gt_path=paths[0]))
        image_cache.close_files()
        with file.open('r+b') as opened:
            opened.truncate(file.stat().st_size // 2)
    before = file.read_bytes() if file.is_file() else None
    with pytest.raises(DataError, match='cache_file.*images.lmdb'):
        LoadImage('gt', cache_mb=1, cache_file=file)
    assert before is None or file.read_bytes() == before
    if what in ('text', 'folder'):
        assert not (tmp_path / 'images.lmdb-lock').exists()


def warnings_on_a_full_disk(paths, file, connection):
    """Send the warnings of a cache in a process of its own.

    A limit on the size of files fails like a full disk.
    """
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    load = LoadImage('gt', cache_mb=1, cache_file=file)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        for path in paths * 2:
            assert load(dict(gt_path=path))['gt'].shape == (100, 100, 3)
    connection.send([str(warning.message) for warning in caught
                     if file in str(warning.message)])


def test_full_disk_warns_once(paths, tmp_path):
    context = multiprocessing.get_context('fork')
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=warnings_on_a_full_disk, args=(
        paths, str(tmp_path / 'images.lmdb'), sender))
    process.start()
    process.join()
    assert process.exitcode == 0
    text, = receiver.recv()
    assert 'no more images are cached in' in text
