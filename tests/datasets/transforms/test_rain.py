"""Rain: streaks, their opacity, and the veil."""
import numpy as np
import pytest
from irsde_mm.datasets.transforms import RainStreaks


def photo(name='a.png', size=64):
    rng = np.random.default_rng(1)
    return dict(gt=rng.integers(0, 200, (size, size, 3), dtype=np.uint8),
                gt_path=f'some/where/{name}', gt_channel_order='bgr')


def test_rain_is_additive_gray_and_in_range():
    results = RainStreaks()(photo())
    rain = results['img'] - results['gt'].astype(np.float32)
    assert results['img'].dtype == np.float32
    assert rain.min() >= 0 and results['img'].max() <= 255
    assert rain.max() > 20
    below = results['img'].max(axis=2) < 255
    assert np.ptp(rain[below], axis=1).max() < 1e-3, 'the same in R, G and B'
    assert results['img_channel_order'] == 'bgr'


def test_rain_is_random_or_fixed_by_name():
    free, fixed = RainStreaks(), RainStreaks(fixed=True)
    assert not np.array_equal(free(photo())['img'], free(photo())['img'])
    np.random.seed(5)
    first = fixed(photo())['img']
    np.random.seed(6)
    assert np.array_equal(first, fixed(photo())['img'])
    other = photo('b.png')
    assert not np.array_equal(first, fixed(other)['img'])
    assert not np.array_equal(
        first, RainStreaks(fixed=True, seed=1)(photo())['img'])
    np.random.seed(7)
    a = free(photo())['img']
    np.random.seed(7)
    assert np.array_equal(a, free(photo())['img'])


@pytest.mark.parametrize('angle', [-60, 0, 35, 80])
def test_streaks_fall_at_their_angle(angle):
    dark = dict(photo(size=200), gt=np.zeros((200, 200, 3), np.uint8))
    rain = RainStreaks(angle=(angle, angle), length=(40, 40), width=(1, 1),
                       density=(0.0005, 0.0005))(dark)['img'][..., 0]
    gy, gx = np.gradient(rain)
    # streaks run in the direction of the smallest gradient
    tensor = np.array([[(gx * gx).sum(), (gx * gy).sum()],
                       [(gx * gy).sum(), (gy * gy).sum()]])
    along = np.linalg.eigh(tensor)[1][:, 0]
    measured = np.rad2deg(np.arctan2(along[0], along[1]))
    assert abs((measured - angle + 90) % 180 - 90) < 6


def test_amount_of_rain_follows_its_parameters():
    def amount(**kwargs):
        args = dict(density=(.003, .003), brightness=(80, 80),
                    length=(15, 15), layers=(2, 2), fixed=True)
        args.update(kwargs)
        results = RainStreaks(**args)(photo(size=128))
        return float((results['img'] - results['gt']).mean())

    base = amount()
    assert amount(density=(.01, .01)) > 1.5 * base
    assert amount(brightness=(160, 160)) > 1.3 * base
    assert amount(length=(30, 30)) > 1.3 * base


def test_rain_on_gray_images():
    gray = dict(photo(), gt=np.zeros((32, 32, 1), np.uint8))
    assert RainStreaks()(gray)['img'].shape == (32, 32, 1)


@pytest.mark.parametrize('kwargs', [
    dict(density=(0.5, 0.1)), dict(brightness=(0, 300)), dict(length=(0, 5)),
    dict(layers=(0, 2)), dict(angle=(-100, 0)), dict(spread=(0, 91)),
    dict(opacity=(0, 2)), dict(veil=(-1, 0)), dict(color=(0, 256))])
def test_bad_rain(kwargs):
    with pytest.raises(ValueError, match=next(iter(kwargs))):
        RainStreaks(**kwargs)


def flat(value, size=96):
    return dict(photo(), gt=np.full((size, size, 3), value, np.uint8))


def test_looks_do_not_move_the_streaks():
    """Existing test images stay, with their streaks, under every option."""
    plain = RainStreaks(fixed=True)(flat(0))['img']
    look = dict(opacity=(0.5, 0.5), veil=(1, 1), color=(0, 0))
    assert np.array_equal(plain, RainStreaks(fixed=True, **look)(
        flat(0))['img']), 'black streaks and veil, on black'


def test_opaque_streaks_hide_the_image():
    """Where a streak is opaque, images of all brightness look the same."""
    args = dict(brightness=(0, 0), opacity=(1, 1), color=(230, 230),
                width=(2, 2), fixed=True)
    dark, bright = (RainStreaks(**args)(flat(v))['img'] for v in (40, 250))
    assert dark.min() >= 40 and dark.max() == pytest.approx(230, abs=1)
    assert bright.max() <= 250 and bright.min() == pytest.approx(230, abs=1)
    covered = (dark - 40) / 190
    np.testing.assert_allclose((250 - bright) / 20, covered, atol=1e-3)
    half = RainStreaks(**dict(args, opacity=(0.5, 0.5), layers=(1, 1)))
    assert half(flat(40))['img'].max() == pytest.approx(135, abs=1)


def test_veil_takes_contrast_in_proportion_to_rain():
    """Measured as the difference of a bright and a dark image."""
    def contrast(density, veil=0.8):
        rain = RainStreaks(brightness=(0, 0), density=(density, density),
                           layers=(2, 2), veil=(veil, veil), fixed=True)
        bright, dark = (rain(flat(v))['img'] for v in (200, 0))
        return (bright - dark)[..., 0] / 200

    assert np.array_equal(contrast(0.01, 0), np.ones((96, 96)))
    drizzle, heavy = contrast(0.0005), contrast(0.02)
    assert 0.9 < drizzle.mean() < 1 and 0.2 <= heavy.mean() < 0.7
    assert np.ptp(heavy) > 0.01, 'uneven'
    assert abs(np.diff(heavy, axis=0)).max() < 0.02, 'but slowly varying'


def test_spread_turns_the_layers():
    """With a wide spread, gradients have no common direction."""
    def coherence(spread):
        rain = RainStreaks(angle=(0, 0), length=(40, 40), layers=(8, 8),
                           density=(0.0003, 0.0003), brightness=(20, 20),
                           spread=(spread, spread), fixed=True)
        gy, gx = np.gradient(rain(flat(0, 160))['img'][..., 0])
        low, high = np.linalg.eigvalsh(np.array(
            [[(gx * gx).sum(), (gx * gy).sum()],
             [(gx * gy).sum(), (gy * gy).sum()]]))
        return (high - low) / (high + low)

    assert coherence(0) > 0.75 > 0.6 > coherence(90)


def test_rain_on_tiny_images():
    tiny = dict(photo(), gt=np.full((1, 2, 3), 9, np.uint8))
    img = RainStreaks(opacity=(0, 1), veil=(0, 1))(tiny)['img']
    assert img.shape == (1, 2, 3) and np.isfinite(img).all()
