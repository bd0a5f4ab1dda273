"""JPEG compression."""
import io

import numpy as np
import pytest
from irsde_mm.datasets.transforms import JPEG
from PIL import Image
from skimage.data import chelsea


def photo():
    return dict(gt=chelsea()[100:164, 100:196, ::-1].copy())


def jpeg(quality, sample):
    return JPEG((quality, quality))(sample)['img']


def test_error_decreases_with_quality():
    sample = photo()
    errors = [np.abs(jpeg(quality, dict(sample)) - sample['gt']).mean()
              for quality in (5, 30, 60, 95)]
    assert errors == sorted(errors)[::-1]
    assert errors[0] > 6 > 3 > errors[-1]


@pytest.mark.parametrize('quality', [30, 95])
@pytest.mark.parametrize('channels', [1, 3])
def test_compressing_again_changes_little(quality, channels):
    gt = photo()['gt'][..., :channels]
    once = jpeg(quality, dict(gt=gt))
    again = jpeg(quality, dict(gt=gt, img=once))
    assert np.abs(again - once).mean() < 0.35 * np.abs(once - gt).mean() + 0.1
    assert once.shape == gt.shape and np.array_equal(once, once.round())


def test_as_other_encoders_compress_gray_images():
    gt = photo()['gt'][..., :1]
    file = io.BytesIO()
    Image.fromarray(gt[..., 0]).save(file, 'jpeg', quality=50)
    expected = np.asarray(Image.open(file), np.float32)
    assert np.abs(jpeg(50, dict(gt=gt))[..., 0] - expected).max() <= 2


def test_out_of_range_values_are_clipped_first():
    """As any file does; they would wrap around as 8-bit integers."""
    noisy = np.full((16, 16, 3), 300, np.float32)
    noisy[:8] = -40
    img = jpeg(95, dict(gt=np.zeros((16, 16, 3), np.uint8), img=noisy))
    assert img[:8].max() < 3 and img[8:].min() > 252


@pytest.mark.parametrize('quality', [(0, 50), (90, 101), (50, 30)])
def test_bad_quality(quality):
    with pytest.raises(ValueError, match='quality'):
        JPEG(quality)
