"""Properties of all degradations, and chains of them."""
import cv2
import numpy as np
import pytest
from irsde_mm.datasets.transforms import (JPEG, Degradation, GaussianNoise,
                                          Haze, LowResolution, MotionBlur,
                                          RainStreaks, Upsample)
from irsde_mm.registry import TRANSFORMS

TRANSFORMS.import_from_location()
NEEDED = dict(
    GaussianNoise=dict(sigma=0.1), LowResolution=dict(scale=2),
    RandomDegradation=dict(choices=[[dict(type='irsde_mm.Haze')]]))
DEGRADATIONS = [cls for cls in TRANSFORMS.module_dict.values()
                if issubclass(cls, Degradation)]


def photo(name='a.png', size=(40, 56), channels=3):
    rng = np.random.default_rng(1)
    small = rng.integers(0, 200, (10, 14, channels)).astype(np.float32)
    image = cv2.resize(small, size[::-1]).reshape(*size, channels)
    return dict(gt=image.round().astype(np.uint8), gt_path=f'some/{name}',
                gt_channel_order='bgr', sample_idx=0)


def build(cls, **kwargs):
    return cls(**NEEDED.get(cls.__name__, {}), **kwargs)


@pytest.mark.parametrize('cls', DEGRADATIONS)
@pytest.mark.parametrize('channels', [1, 3])
def test_float32_output_and_clean_image(cls, channels):
    sample = photo(channels=channels)
    kept = sample['gt'].copy()
    result = build(cls)(sample)
    assert result['img'].dtype == np.float32
    assert result['img'].ndim == 3 and result['img'].shape[2] == channels
    assert np.array_equal(result['gt'], kept)
    assert result['img_channel_order'] == 'bgr'
    assert 0 < result['img'].mean() < 255


@pytest.mark.parametrize('cls', [c for c in DEGRADATIONS
                                 if c is not LowResolution])
def test_random_or_fixed_by_name(cls):
    free, fixed = build(cls), build(cls, fixed=True)

    def run(transform, name='a.png'):
        return transform(photo(name))['img']

    np.random.seed(3)
    first, second = run(free), run(free)
    assert not np.array_equal(first, second)
    np.random.seed(3)
    assert np.array_equal(first, run(free)), 'follows the seed'
    assert np.array_equal(run(fixed), run(fixed))
    assert not np.array_equal(run(fixed), run(fixed, 'b.png'))
    assert not np.array_equal(run(fixed), run(build(cls, fixed=True, seed=1)))


@pytest.mark.parametrize('cls', [c for c in DEGRADATIONS
                                 if c is not LowResolution])
@pytest.mark.parametrize('size', [(1, 2, 3), (3, 1, 1)])
def test_tiny_images(cls, size):
    result = build(cls)(dict(gt=np.full(size, 90, np.uint8), gt_path='a.png'))
    assert result['img'].shape == size and np.isfinite(result['img']).all()


def test_chains_degrade_further():
    """Each degradation starts from the result of the one before it."""
    haze = Haze(beta=(0, 0))
    noisy = GaussianNoise(0.1, fixed=True)(photo())['img']
    chained = haze(dict(photo(), img=noisy, img_path='rainy/x.png'))
    np.testing.assert_allclose(chained['img'], noisy, rtol=1e-5, atol=1e-4)
    assert chained['img_path'] == 'rainy/x.png'
    assert np.array_equal(chained['gt'], photo()['gt'])


def test_draws_in_chains_are_independent():
    """Fixed noise levels and blurs of many images are uncorrelated."""
    def draws(name):
        sample = dict(gt=np.full((9, 9, 1), 50, np.uint8), gt_path=name)
        levels = []
        for _ in range(2):
            sample['sigma'] = 0
            GaussianNoise((0, 0.4), fixed=True)(sample)
            levels.append(sample['sigma'])
        return levels

    levels = np.array([draws(f'{i}.png') for i in range(60)])
    assert abs(np.corrcoef(levels.T)[0, 1]) < 0.4
    assert draws('0.png') == list(levels[0])


def test_camera_pipeline():
    """Blur, low resolution, noise and compression, fixed by name."""
    steps = [MotionBlur((3, 9), ['motion', 'defocus'], gamma=(1, 2.2)),
             RainStreaks(opacity=(0, 1)),
             LowResolution(2, ['area', 'lanczos']),
             GaussianNoise((0, 0.2), clip=True), JPEG(), Upsample(2)]
    results = []
    for _ in range(2):
        sample = photo(size=(41, 57))
        for step in steps:
            step.fixed = True
            sample = step(sample)
        results.append(sample)
    first, again = results
    assert np.array_equal(first['img'], again['img'])
    assert first['img'].shape == first['gt'].shape == (40, 56, 3)
    error = np.abs(first['img'] - first['gt']).mean()
    assert 1 < error < 100
