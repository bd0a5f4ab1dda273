"""Blur: kernels, camera paths, and linear light."""
import cv2
import numpy as np
import pytest
from irsde_mm.datasets.transforms import MotionBlur
from irsde_mm.datasets.transforms.blur import (KINDS, camera_path, disc, line,
                                               path_kernel)


def photo(size=(40, 56)):
    rng = np.random.default_rng(1)
    image = cv2.resize(rng.integers(0, 200, (10, 14, 3)).astype(np.float32),
                       size[::-1])
    return dict(gt=image.round().astype(np.uint8), gt_path='a.png',
                sample_idx=0)


@pytest.mark.parametrize('kind', KINDS)
def test_blur_keeps_brightness_and_flattens(kind):
    sample = MotionBlur(kind=kind, gamma=1.0)(photo(size=(120, 120)))
    clean, blurred = sample['gt'].astype(float), sample['img']
    assert abs(blurred.mean() - clean.mean()) < 3
    assert np.abs(np.diff(blurred, axis=1)).mean() < \
        np.abs(np.diff(clean, axis=1)).mean()
    flat = dict(photo(), gt=np.full((30, 30, 3), 77, np.uint8))
    np.testing.assert_allclose(MotionBlur(kind=kind)(flat)['img'], 77,
                               atol=0.01)


@pytest.mark.parametrize('kind', KINDS)
def test_longer_blurs_lose_more(kind):
    def error(length):
        sample = MotionBlur((length, length), kind, fixed=True)(
            photo(size=(120, 120)))
        return float(((sample['img'] - sample['gt'])**2).mean())
    assert error(4) < error(12) < error(36)


@pytest.mark.parametrize('kind', KINDS)
def test_gamma_favors_bright_pixels(kind):
    """A bright point stays brighter when averaged in linear light."""
    point = np.zeros((41, 41, 3), np.uint8)
    point[20, 20] = 255
    sample = dict(photo(), gt=point)
    linear, camera = (MotionBlur(kind=kind, gamma=g, fixed=True)(
        dict(sample))['img'].max() for g in (1.0, 2.2))
    assert camera > linear


@pytest.mark.parametrize('kernel', [
    disc(1), disc(7.5), disc(21), path_kernel(line(1, 20)),
    path_kernel(line(21, 30)), path_kernel(line(200, -70))])
def test_kernels_keep_energy_and_place(kernel):
    n = len(kernel)
    assert kernel.shape == (n, n) and n % 2 == 1
    assert kernel.sum() == pytest.approx(1, abs=1e-5) and kernel.min() >= 0
    y, x = np.mgrid[:n, :n] - n // 2
    assert (kernel * x).sum() == pytest.approx(0, abs=1e-4)
    assert (kernel * y).sum() == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize('diameter', [1, 2, 4.5, 9, 21])
def test_disc_is_as_wide_as_its_diameter(diameter):
    """A disc has the mean square radius d^2 / 8, and is round and flat."""
    kernel = disc(diameter)
    n = len(kernel)
    y, x = np.mgrid[:n, :n] - n // 2
    square = (kernel * (x**2 + y**2)).sum()
    assert square == pytest.approx(diameter**2 / 8, abs=0.13 + diameter / 10)
    assert np.array_equal(kernel, kernel.T)
    assert kernel.max() * np.pi * diameter**2 / 4 == pytest.approx(1, abs=.3)
    if diameter == 1:
        assert kernel.max() == 1


@pytest.mark.parametrize('length, angle', [(5, 0), (21, 30), (200, -60)])
def test_line_is_uniform_and_has_its_length_and_angle(length, angle):
    """A line has the mean square L^2 / 12 along, and nearly 0 across."""
    kernel = path_kernel(line(length, angle))
    n = len(kernel)
    y, x = np.mgrid[:n, :n] - n // 2
    turn = np.deg2rad(angle)
    along = x * np.cos(turn) + y * np.sin(turn)
    across = y * np.cos(turn) - x * np.sin(turn)
    assert (kernel * along**2).sum() == pytest.approx(
        length**2 / 12, rel=0.02, abs=0.4)
    assert (kernel * across**2).sum() < 0.4
    center = kernel[np.abs(along) < length / 2 - 1].sum()
    assert center == pytest.approx(1 - 2 / length, abs=0.15)


def test_several_kinds_are_drawn():
    """Fixed by name; each image has the blur of one of the kinds."""
    def blurred(kind, name):
        blur = MotionBlur((15, 15), kind, angle=(20, 20), fixed=True)
        return blur(dict(photo(), gt_path=name))['img'].tobytes()

    seen = set()
    for i in range(12):
        name = f'{i}.png'
        both = blurred(['defocus', 'motion'], name)
        single = [blurred(kind, name) for kind in ('defocus', 'motion')]
        seen.add(single.index(both))
    assert seen == {0, 1}


def test_gamma_is_drawn_from_a_range():
    point = np.zeros((21, 21, 1), np.uint8)
    point[10, 10] = 255
    blur = MotionBlur((7, 7), 'defocus', gamma=(1, 2.2))
    peaks = [blur(dict(gt=point, gt_path='a'))['img'].max()
             for _ in range(8)]
    low, high = (MotionBlur((7, 7), 'defocus', gamma=g)(
        dict(gt=point, gt_path='a'))['img'].max() for g in (1, 2.2))
    assert len(set(peaks)) == 8
    assert all(low <= peak <= high for peak in peaks)


def test_linear_light_after_noise():
    """Negative values of noise that is not clipped give no NaN."""
    img = np.full((30, 30, 3), -5, np.float32)
    img[:, 15:] = 260
    for kind in KINDS:
        blurred = MotionBlur(kind=kind, gamma=2.2)(dict(photo(), img=img))
        assert np.isfinite(blurred['img']).all()


@pytest.mark.parametrize('kwargs, words', [
    (dict(kind='zoom'), 'zoom'), (dict(kind=['shake', 'zoom']), 'zoom'),
    (dict(kind=[]), 'kind'), (dict(length=(0, 3)), 'length'),
    (dict(gamma=0), 'gamma'), (dict(gamma=(2, 1)), 'gamma'),
    (dict(inertia=1), 'inertia')])
def test_bad_arguments(kwargs, words):
    with pytest.raises(ValueError, match=words):
        MotionBlur(**kwargs)


def test_inertia_straightens_the_camera_path():
    def reach(inertia):
        rng = np.random.default_rng(0)
        paths = [camera_path(30, 0, inertia, rng) for _ in range(50)]
        return np.mean([np.ptp(path, axis=0).max() for path in paths])

    assert reach(0.0) < 0.6 * reach(0.7) < 0.4 * reach(0.99)


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
