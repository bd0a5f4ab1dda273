"""Each degradation, and properties of all of them."""
import cv2
import numpy as np
import pytest
from irsde_mm.datasets.transforms import (Degradation, GaussianNoise,
                                          KeepMask, LowResolution, MotionBlur,
                                          Upsample)
from irsde_mm.datasets.transforms.blur import camera_path
from irsde_mm.errors import DataError
from irsde_mm.registry import TRANSFORMS

TRANSFORMS.import_from_location()
NEEDED = dict(GaussianNoise=dict(sigma=0.1), LowResolution=dict(scale=2))
DEGRADATIONS = [cls for cls in TRANSFORMS.module_dict.values()
                if issubclass(cls, Degradation)]


def photo(name='a.png', size=(40, 56), channels=3, **extra):
    rng = np.random.default_rng(1)
    small = rng.integers(0, 200, (10, 14, channels)).astype(np.float32)
    image = cv2.resize(small, size[::-1]).reshape(*size, channels)
    return dict(gt=image.round().astype(np.uint8), gt_path=f'some/{name}',
                gt_channel_order='bgr', sample_idx=0, **extra)


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

    assert not np.array_equal(run(free), run(free))
    np.random.seed(3)
    first = run(free)
    np.random.seed(3)
    assert np.array_equal(first, run(free)), 'follows the seed'
    assert np.array_equal(run(fixed), run(fixed))
    assert not np.array_equal(run(fixed), run(fixed, 'b.png'))
    assert not np.array_equal(run(fixed), run(build(cls, fixed=True, seed=1)))


def test_noise_has_the_given_level_and_is_not_clipped():
    sample = GaussianNoise(25 / 255)(photo(size=(200, 300)))
    noise = sample['img'] - sample['gt']
    assert abs(noise.std() - 25) < 0.3 and abs(noise.mean()) < 0.3
    assert sample['img'].min() < 0 and sample['sigma'] == 25 / 255
    levels = {GaussianNoise((0.1, 0.3))(photo())['sigma'] for _ in range(9)}
    assert len(levels) == 9 and all(0.1 <= s <= 0.3 for s in levels)


@pytest.mark.parametrize('kind', ['shake', 'frames'])
def test_blur_keeps_brightness_and_flattens(kind):
    sample = MotionBlur(kind=kind, gamma=1.0)(photo(size=(120, 120)))
    clean, blurred = sample['gt'].astype(float), sample['img']
    assert abs(blurred.mean() - clean.mean()) < 3
    assert np.abs(np.diff(blurred, axis=1)).mean() < \
        np.abs(np.diff(clean, axis=1)).mean()
    flat = dict(photo(), gt=np.full((30, 30, 3), 77, np.uint8))
    np.testing.assert_allclose(MotionBlur(kind=kind)(flat)['img'], 77,
                               atol=0.01)


def test_longer_camera_paths_blur_more():
    def error(length):
        sample = MotionBlur((length, length), fixed=True)(
            photo(size=(120, 120)))
        return float(((sample['img'] - sample['gt'])**2).mean())
    assert error(4) < error(12) < error(36)


def test_gamma_favors_bright_pixels():
    """A bright point stays brighter when averaged in linear light."""
    point = np.zeros((41, 41, 3), np.uint8)
    point[20, 20] = 255
    sample = dict(photo(), gt=point)
    linear, camera = (MotionBlur(kind='frames', gamma=g, fixed=True)(
        dict(sample))['img'].max() for g in (1.0, 2.2))
    assert camera > linear


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


def test_upsampling_modes():
    edge = np.zeros((4, 8, 1), np.float32)
    edge[:, 4:] = 255
    bicubic = Upsample(2)(dict(img=edge))['img']
    assert bicubic.min() < -1 and bicubic.max() > 256, 'not clipped'
    nearest = Upsample(3, 'nearest')(dict(img=edge))['img']
    assert np.array_equal(nearest, edge.repeat(3, 0).repeat(3, 1))
    with pytest.raises(DataError, match='scale 2'):
        Upsample(2)(dict(img=edge, gt=np.zeros((8, 15, 1)), gt_path='a'))


@pytest.mark.parametrize('kind, low, high', [
    ('thin', 0.02, 0.35), ('thick', 0.05, 0.7), ('box', 0.05, 0.26),
    ('half', 0.49, 0.51)])
def test_generated_masks(kind, low, high):
    clean = dict(photo(), gt=np.zeros((128, 160, 3), np.uint8))
    shares = [(KeepMask(kinds=[kind])(dict(clean))['img'] == 255).mean()
              for _ in range(20)]
    assert low <= np.mean(shares) <= high
    if kind != 'half':
        assert np.std(shares) > 0


def test_masks_from_a_folder(tmp_path):
    """White pixels of a mask are kept, holes become white; fixed masks go by
    index."""
    for i in range(3):
        mask = np.full((40, 56), 255, np.uint8)
        mask[i * 10:(i + 1) * 10] = 0
        cv2.imwrite(str(tmp_path / f'{i}.png'), mask)
    fixed = KeepMask(str(tmp_path), fixed=True)
    for index, row in ((0, 0), (2, 20), (4, 10)):
        sample = photo()
        sample['sample_idx'] = index
        image = fixed(sample)['img']
        assert (image[row:row + 10] == 255).all()
        rest = np.delete(np.arange(40), np.arange(row, row + 10))
        assert np.array_equal(image[rest], sample['gt'][rest])
    free = KeepMask(str(tmp_path))
    seen = {free(photo())['img'].tobytes() for _ in range(40)}
    assert len(seen) == 3


@pytest.mark.parametrize('size, value, words', [
    ((40, 50), 0, r'50x40.*56x40'), ((40, 56), 128, 'gray values')])
def test_bad_masks(tmp_path, size, value, words):
    mask = np.full(size, 255, np.uint8)
    mask[:5] = value
    cv2.imwrite(str(tmp_path / 'm.png'), mask)
    with pytest.raises(DataError, match=words):
        KeepMask(str(tmp_path))(photo())


@pytest.mark.parametrize('cls, kwargs, words', [
    (GaussianNoise, dict(sigma=25), '25 / 255'),
    (GaussianNoise, dict(sigma=(0.5, 0.1)), 'sigma'),
    (MotionBlur, dict(kind='zoom'), 'zoom'),
    (MotionBlur, dict(length=(0, 3)), 'length'),
    (MotionBlur, dict(gamma=0), 'gamma'),
    (LowResolution, dict(scale=1), 'scale'),
    (LowResolution, dict(scale=2.5), 'scale'),
    (Upsample, dict(scale=2, mode='lanczos'), 'lanczos'),
    (KeepMask, dict(kinds=['round']), 'round'),
    (KeepMask, dict(kinds=[]), 'kinds')])
def test_bad_arguments(cls, kwargs, words):
    with pytest.raises(ValueError, match=words):
        cls(**kwargs)


def test_inertia_straightens_the_camera_path():
    def reach(inertia):
        rng = np.random.default_rng(0)
        paths = [camera_path(30, 0, inertia, rng) for _ in range(50)]
        return np.mean([np.ptp(path, axis=0).max() for path in paths])

    assert reach(0.0) < 0.6 * reach(0.7) < 0.4 * reach(0.99)
    with pytest.raises(ValueError, match='inertia'):
        MotionBlur(inertia=1)


@pytest.mark.parametrize('angle', [-90, -20, 0, 45])
def test_camera_moves_at_the_given_angle(angle):
    path = camera_path(30, angle, 0.9, np.random.default_rng(1))
    along = path[-1] - path[0]
    assert np.rad2deg(np.arctan2(along[1], along[0])) == pytest.approx(angle)
    assert np.linalg.norm(np.diff(path, axis=0), axis=1).sum() == (
        pytest.approx(30))


def test_panning_blurs_along_the_rows():
    """Constant rows are not changed."""
    stripes = np.zeros((40, 40, 3), np.uint8)
    stripes[::4] = 200
    for gt, equal in ((stripes, True),
                      (stripes.transpose(1, 0, 2).copy(), False)):
        img = MotionBlur(length=(9, 9), angle=(0, 0), inertia=0.9999)(
            dict(gt=gt, gt_path='a.png'))['img']
        assert (abs(img - gt).max() < 10) == equal
