"""Haze: scattering, color of the airlight, and uneven depth."""
import cv2
import numpy as np
import pytest
from irsde_mm.datasets.transforms import Haze
from irsde_mm.errors import DataError


def photo(name='a.png'):
    rng = np.random.default_rng(1)
    return dict(gt=rng.integers(0, 200, (40, 56, 3), dtype=np.uint8),
                gt_path=f'some/{name}')


def test_haze_is_scattering_at_the_given_depth(tmp_path):
    depth = np.tile(np.linspace(0, 255, 56).astype(np.uint8), (40, 1))
    cv2.imwrite(str(tmp_path / 'a.png'), depth)
    sample = Haze(beta=(1, 1), airlight=(0.8, 0.8),
                  depth_folder=str(tmp_path))(photo())
    t = np.exp(depth.astype(float) / -255)[..., None]
    np.testing.assert_allclose(
        sample['img'], sample['gt'] * t + 204 * (1 - t), rtol=1e-4, atol=.01)
    with pytest.raises(DataError, match='no depth map'):
        Haze(depth_folder=str(tmp_path))(photo('b.png'))
    cv2.imwrite(str(tmp_path / 'a.png'), depth[:9])
    with pytest.raises(DataError, match=r'56x9.*56x40'):
        Haze(depth_folder=str(tmp_path))(photo())


def test_16_bit_depth_maps(tmp_path):
    cv2.imwrite(str(tmp_path / 'a.png'), np.full((40, 56), 65535, np.uint16))
    sample = Haze(beta=(1, 1), airlight=(1, 1),
                  depth_folder=str(tmp_path))(photo())
    t = np.exp(-1)
    np.testing.assert_allclose(sample['img'],
                               sample['gt'] * t + 255 * (1 - t), atol=0.01)


def test_far_things_have_the_color_of_the_airlight(tmp_path):
    cv2.imwrite(str(tmp_path / 'a.png'), np.full((40, 56), 255, np.uint8))
    args = dict(beta=(10, 10), airlight=(0.8, 0.8), fixed=True,
                depth_folder=str(tmp_path))
    gray = Haze(**args)(photo())['img']
    np.testing.assert_allclose(gray, 204, atol=0.1)
    tinted = Haze(tint=(0.5, 1), **args)(photo())['img']
    assert np.ptp(tinted, axis=(0, 1)).max() < 0.1
    color = tinted[0, 0]
    assert 102 <= color.min() < color.max() - 5 < 204 - 5


def test_uneven_depth_has_the_same_mean():
    """The depth is measured on a black image with airlight 1."""
    def depth(uneven, seed):
        haze = Haze(beta=(1, 1), airlight=(1, 1), fixed=True, seed=seed,
                    uneven=(uneven, uneven))
        black = dict(gt=np.zeros((80, 120, 1), np.uint8), gt_path='a.png')
        return -np.log(1 - haze(black)['img'][..., 0] / 255) + 1e-3

    ratios = np.array([depth(0.6, seed) / depth(0, seed)
                       for seed in range(20)])
    assert 0.39 < ratios.min() < 0.6 and 1.4 < ratios.max() < 1.61
    assert ratios.mean() == pytest.approx(1, abs=0.1)
    steps = np.abs(np.diff(ratios, axis=2))
    assert np.median(steps) < 0.02 and steps.max() > 0.5, 'edges'


def test_haze_on_tiny_images():
    tiny = dict(gt=np.full((1, 2, 3), 9, np.uint8), gt_path='a.png')
    img = Haze(tint=(0, 1), uneven=(0, 1))(tiny)['img']
    assert img.shape == (1, 2, 3) and (img >= 0).all()


@pytest.mark.parametrize('kwargs', [
    dict(beta=(2, 1)), dict(airlight=(0, 2)), dict(tint=(0, 2)),
    dict(uneven=(-1, 0))])
def test_bad_haze(kwargs):
    with pytest.raises(ValueError, match=next(iter(kwargs))):
        Haze(**kwargs)
