"""Grids and strips of images: every pixel is where it belongs."""
import numpy as np
import pytest
from irsde_mm.io.grids import (GAP, TEXT, at_most, draw_grid, draw_strip,
                                    spread_out)


def images(*sizes):
    rng = np.random.default_rng(0)
    return [rng.integers(0, 250, (*size, 3), dtype=np.uint8)
            for size in sizes]


def test_grid_keeps_every_image():
    a, b, c, d = images((20, 40), (16, 50), (9, 30), (12, 45))
    grid = draw_grid([[a, b], [c, d]])
    assert grid.shape == (20 + 12 + 3 * GAP, 40 + 50 + 3 * GAP, 3)
    x, y = 2 * GAP + 40, 2 * GAP + 20
    assert (grid[GAP:GAP + 20, GAP:GAP + 40] == a).all()
    assert (grid[GAP:GAP + 16, x:x + 50] == b).all()
    assert (grid[y:y + 9, GAP:GAP + 30] == c).all()
    assert (grid[y:y + 12, x:x + 45] == d).all()
    total = sum(image.size for image in (a, b, c, d))
    assert (grid != 255).sum() == total, 'the rest is white'


def test_captions_are_above_the_images():
    narrow, = images((8, 4))
    plain = draw_grid([[narrow, narrow]])
    grid = draw_grid([[narrow, narrow]], ['degraded', 'clean'])
    assert grid.shape[1] > plain.shape[1], 'wide enough for the words'
    above = grid[:TEXT + GAP]
    half = grid.shape[1] // 2
    assert above[:, :half].min() < 100 and above[:, half:].min() < 100
    assert (grid[TEXT + 2 * GAP:][:8, GAP:GAP + 4] == narrow).all()


@pytest.mark.parametrize('size, expected', [
    ((30, 40), (30, 40)), ((100, 40), (50, 20)), ((40, 101), (20, 50)),
    ((1, 500), (1, 50))])
def test_large_images_are_downscaled(size, expected):
    image = np.full((*size, 3), 77, np.uint8)
    small = at_most(image, 50)
    assert small.shape == (*expected, 3) and (small == 77).all()


def test_strip_has_the_first_and_the_last_state():
    assert spread_out(range(101), 5) == [0, 25, 50, 75, 100]
    assert spread_out('ab', 5) == ['a', 'b']
    states = [(t, np.full((9, 50, 3), t, np.uint8))
              for t in range(100, -1, -1)]
    strip = draw_strip(states, 3)
    assert strip.shape[1] == 3 * 50 + 4 * GAP
    row = strip[-GAP - 1]
    for i, t in enumerate((100, 50, 0)):
        x = GAP + i * (50 + GAP)
        assert (row[x:x + 50] == t).all()
