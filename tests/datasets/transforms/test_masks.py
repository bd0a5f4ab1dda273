"""Masks: kinds, colors, and folders."""
import cv2
import numpy as np
import pytest
from irsde_mm.datasets.transforms import KeepMask
from irsde_mm.errors import DataError


def photo(size=(40, 56)):
    rng = np.random.default_rng(1)
    image = cv2.resize(rng.integers(0, 200, (10, 14, 3)).astype(np.float32),
                       size[::-1])
    return dict(gt=image.round().astype(np.uint8), gt_path='a.png',
                sample_idx=0)


@pytest.mark.parametrize('kind, low, high', [
    ('thin', 0.02, 0.35), ('thick', 0.05, 0.7), ('box', 0.05, 0.26),
    ('half', 0.49, 0.51), ('text', 0.01, 0.2)])
def test_generated_masks(kind, low, high):
    clean = dict(photo(), gt=np.zeros((128, 160, 3), np.uint8))
    shares = [(KeepMask(kinds=[kind])(dict(clean))['img'] == 255).mean()
              for _ in range(20)]
    assert low <= np.mean(shares) <= high
    if kind != 'half':
        assert np.std(shares) > 0


def test_text_consists_of_thin_letters_of_any_size():
    """Little of it is left when three pixels are taken off all around."""
    hole = KeepMask(kinds=['text'], fixed=True)(dict(
        photo(), gt=np.zeros((256, 256, 1), np.uint8)))['img'] == 255
    parts = cv2.connectedComponents(hole[..., 0].astype(np.uint8))[0] - 1
    assert parts >= 8
    core = cv2.erode(hole[..., 0].astype(np.uint8), np.ones((7, 7)))
    assert core.sum() < 0.02 * hole.sum()


@pytest.mark.parametrize('color', [0, 128, (10, 20, 200)])
def test_color_does_not_move_the_holes(color):
    white, painted = (KeepMask(kinds=['thick'], color=c, fixed=True)(
        photo())['img'] for c in (255, color))
    hole = (white == 255).all(2)
    assert (painted[hole] == color).all()
    assert np.array_equal(painted[~hole], white[~hole])


def test_random_colors():
    colors = set()
    for i in range(5):
        sample = dict(photo(), gt=np.zeros((40, 40, 3), np.uint8),
                      gt_path=f'{i}.png')
        img = KeepMask(kinds=['box'], color='random', fixed=True)(sample)[
            'img']
        own = {tuple(pixel) for pixel in img.reshape(-1, 3)} - {(0, 0, 0)}
        assert len(own) == 1, 'one color in each image'
        colors |= own
    assert len(colors) == 5


def test_color_on_gray_images():
    """The color's gray value."""
    img = KeepMask(kinds=['half'], color=(0, 0, 255))(dict(
        photo(), gt=np.zeros((40, 40, 1), np.uint8)))['img']
    assert img.shape == (40, 40, 1) and img.max() == pytest.approx(76, abs=1)


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


@pytest.mark.parametrize('kwargs, words', [
    (dict(kinds=['round']), 'round'), (dict(kinds=[]), 'kinds'),
    (dict(color='red'), 'red'), (dict(color=(1, 2)), 'color'),
    (dict(color=256), '256')])
def test_bad_arguments(kwargs, words):
    with pytest.raises(ValueError, match=words):
        KeepMask(**kwargs)
