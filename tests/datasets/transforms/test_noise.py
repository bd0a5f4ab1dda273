"""Gaussian and Poisson noise."""
import cv2
import numpy as np
import pytest
from irsde_mm.datasets.transforms import GaussianNoise, PoissonNoise


def photo(size=(40, 56)):
    rng = np.random.default_rng(1)
    image = cv2.resize(rng.integers(0, 200, (10, 14, 3)).astype(np.float32),
                       size[::-1])
    return dict(gt=image.round().astype(np.uint8), gt_path='a.png',
                sample_idx=0)


def test_noise_has_the_given_level_and_is_not_clipped():
    sample = GaussianNoise(25 / 255)(photo(size=(200, 300)))
    noise = sample['img'] - sample['gt']
    assert abs(noise.std() - 25) < 0.3 and abs(noise.mean()) < 0.3
    assert sample['img'].min() < 0 and sample['sigma'] == 25 / 255
    levels = {GaussianNoise((0.1, 0.3))(photo())['sigma'] for _ in range(9)}
    assert len(levels) == 9 and all(0.1 <= s <= 0.3 for s in levels)


def flat(value, size=(200, 200, 1)):
    return dict(gt=np.full(size, value, np.uint8), gt_path='a.png')


@pytest.mark.parametrize('noise', [
    GaussianNoise(50 / 255, clip=True, fixed=True),
    PoissonNoise((26, 26), clip=True, fixed=True)])
def test_clipping(noise):
    """It changes nothing but the values outside, and keeps the level."""
    for value in (5, 250):
        clipped = noise(flat(value))
        noise.clip = False
        free = noise(flat(value))
        noise.clip = True
        assert clipped['img'].min() >= 0 and clipped['img'].max() <= 255
        assert np.array_equal(clipped['img'], free['img'].clip(0, 255))
        assert clipped['sigma'] == free['sigma']
    assert free['img'].max() > 255


def test_poisson_variance_is_proportional_to_the_signal():
    for photons in (26, 400):
        noise = PoissonNoise((photons, photons), fixed=True)
        for value in (10, 80, 240):
            sample = noise(flat(value))
            assert sample['img'].mean() == pytest.approx(value, rel=0.02)
            variance = 255 * value / photons
            assert sample['img'].var() == pytest.approx(variance, rel=0.04)
            assert 255 * sample['sigma'] == pytest.approx(variance**0.5)
            steps = sample['img'] * photons / 255
            np.testing.assert_allclose(steps, steps.round(), atol=1e-3)
    assert np.array_equal(noise(flat(0))['img'], flat(0)['gt'])


def test_photons_are_log_uniform():
    """As many images are noisier than the geometric mean as are not."""
    noise = PoissonNoise((1, 10000))
    np.random.seed(0)
    levels = np.array([noise(flat(255, (1, 1, 1)))['sigma']
                       for _ in range(200)])
    photons = levels**-2.
    assert photons.min() >= 0.999 and photons.max() <= 10001
    assert 0.4 < (photons < 100).mean() < 0.6


def test_sigma_combines_all_noise():
    sample = PoissonNoise((26, 26), fixed=True)(
        GaussianNoise(0.1, fixed=True)(flat(128)))
    total = (sample['img'] - 128).std() / 255
    assert sample['sigma'] == pytest.approx(total, rel=0.02) and total > 0.15


@pytest.mark.parametrize('cls, kwargs, words', [
    (GaussianNoise, dict(sigma=25), '25 / 255'),
    (GaussianNoise, dict(sigma=(0.5, 0.1)), 'sigma'),
    (PoissonNoise, dict(photons=(0, 9)), 'photons'),
    (PoissonNoise, dict(photons=(9, 3)), 'photons')])
def test_bad_arguments(cls, kwargs, words):
    with pytest.raises(ValueError, match=words):
        cls(**kwargs)
