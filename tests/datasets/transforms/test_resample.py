"""Low resolution and upsampling."""
import cv2
import numpy as np
import pytest
from irsde_mm.datasets.transforms import LowResolution, Upsample
from irsde_mm.errors import DataError


def photo(size=(40, 56)):
    rng = np.random.default_rng(1)
    image = cv2.resize(rng.integers(0, 200, (10, 14, 3)).astype(np.float32),
                       size[::-1])
    return dict(gt=image.round().astype(np.uint8), gt_path='a.png',
                sample_idx=0)


def test_low_resolution_matches_matlab():
    """As mmagic's MATLAB-like resize; Upsample restores the size."""
    from mmagic.datasets.transforms import MATLABLikeResize
    sample = photo(size=(41, 58))
    expected = MATLABLikeResize(keys=['gt'], output_shape=(10, 14))(
        dict(gt=sample['gt'][:40, :56].astype(np.float64)))['gt']
    small = LowResolution(4)(sample)
    assert small['gt'].shape == (40, 56, 3) and small['scale'] == 4
    inner = (slice(2, -2), slice(2, -2))
    assert np.abs(small['img'][inner] - expected[inner]).max() < 1.0
    assert np.array_equal(small['img'], small['img'].round())
    large = Upsample(4)(small)
    assert large['img'].shape == (40, 56, 3) and large['scale'] == 1
    assert large['img'].dtype == np.float32


def test_area_is_the_mean_of_the_pixels():
    sample = photo((40, 56))
    small = LowResolution(4, 'area')(dict(sample))['img']
    mean = sample['gt'].reshape(10, 4, 14, 4, 3).mean((1, 3))
    assert np.abs(small - mean).max() <= 0.5 + 1e-4


@pytest.mark.parametrize('kernel', ['bicubic', 'area', 'lanczos'])
@pytest.mark.parametrize('channels', [1, 3])
def test_kernels_keep_flat_images_and_suppress_aliases(kernel, channels):
    lower = LowResolution(4, kernel)
    gt = np.full((33, 41, channels), 77, np.uint8)
    assert np.array_equal(lower(dict(gt=gt))['img'],
                          np.full((8, 10, channels), 77, np.float32))
    stripes = np.zeros((64, 64, channels), np.uint8)
    stripes[::2] = 200
    inner = lower(dict(gt=stripes))['img'][2:-2]
    assert np.abs(inner - 100).max() < 3


def test_lanczos_is_sharpest():
    """The steepest step of an edge, and over- and undershoots."""
    edge = np.full((8, 80, 1), 50, np.uint8)
    edge[:, 42:] = 200
    images = {kernel: LowResolution(4, kernel)(dict(gt=edge))['img']
              for kernel in ('bicubic', 'area', 'lanczos')}
    assert np.ptp(images['area']) == 150
    assert 150 < np.ptp(images['bicubic']) < np.ptp(images['lanczos'])


def test_several_kernels_are_drawn():
    def small(kernel, name):
        lower = LowResolution(2, kernel, fixed=True)
        return lower(dict(photo(), gt_path=name))['img'].tobytes()

    seen = set()
    for i in range(20):
        both = small(['area', 'lanczos'], f'{i}.png')
        assert both == small(['area', 'lanczos'], f'{i}.png')
        seen.add([small(k, f'{i}.png') for k in ('area', 'lanczos')
                  ].index(both))
    assert seen == {0, 1}


def test_upsampling_modes():
    edge = np.zeros((4, 8, 1), np.float32)
    edge[:, 4:] = 255
    bicubic = Upsample(2)(dict(img=edge))['img']
    assert bicubic.min() < -1 and bicubic.max() > 256, 'not clipped'
    nearest = Upsample(3, 'nearest')(dict(img=edge))['img']
    assert np.array_equal(nearest, edge.repeat(3, 0).repeat(3, 1))
    with pytest.raises(DataError, match='scale 2'):
        Upsample(2)(dict(img=edge, gt=np.zeros((8, 15, 1)), gt_path='a'))


@pytest.mark.parametrize('cls, kwargs, words', [
    (LowResolution, dict(scale=1), 'scale'),
    (LowResolution, dict(scale=2.5), 'scale'),
    (LowResolution, dict(scale=2, kernel='box'), 'box'),
    (LowResolution, dict(scale=2, kernel=[]), 'kernel'),
    (Upsample, dict(scale=2, mode='lanczos'), 'lanczos')])
def test_bad_arguments(cls, kwargs, words):
    with pytest.raises(ValueError, match=words):
        cls(**kwargs)
