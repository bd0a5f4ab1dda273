"""Decoded images that are kept in memory."""
import numpy as np
import pytest
from irsde_mm.datasets.transforms import LoadImage
from PIL import Image


@pytest.fixture
def paths(tmp_path):
    rng = np.random.default_rng(0)
    names = [tmp_path / f'{i}.png' for i in range(3)]
    for name in names:
        Image.fromarray(rng.integers(0, 256, (100, 100, 3), np.uint8)).save(
            name)
    return [str(name) for name in names]


def test_an_image_is_read_once_and_can_be_changed(paths):
    load, plain = LoadImage('gt', cache_mb=1), LoadImage('gt')
    expected = plain(dict(gt_path=paths[0]))['gt']
    for _ in range(3):
        image = load(dict(gt_path=paths[0]))['gt']
        assert np.array_equal(image, expected)
        image[:] = 0
    Image.new('RGB', (5, 5)).save(paths[0])
    assert np.array_equal(load(dict(gt_path=paths[0]))['gt'], expected)
    assert plain(dict(gt_path=paths[0]))['gt'].shape == (5, 5, 3)


def test_memory_is_bounded(paths):
    load = LoadImage('gt', cache_mb=70_000 / 2**20)  # two of 30,000 bytes
    for path in paths * 2:
        load(dict(gt_path=path))
    assert list(load.cache) == paths[:2]
    assert sum(image.nbytes for image in load.cache.values()) == 60_000


def test_size_of_the_cache():
    with pytest.raises(ValueError, match='cache_mb'):
        LoadImage('gt', cache_mb=-1)
