"""The random choice of degradations."""
import numpy as np
import pytest

from irsde_mm.config.trusted import check_degradation
from irsde_mm.datasets.transforms import RandomDegradation
from irsde_mm.errors import CheckpointError

HAZE = dict(type='irsde_mm.Haze')
NOISE = dict(type='irsde_mm.GaussianNoise', sigma=0.1)


@pytest.fixture
def photo():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (24, 32, 3)).astype(np.float32)


def degrade(photo, name='a.png', **options):
    return RandomDegradation(**options).transform(
        dict(gt=photo, gt_path=name))['img']


def test_frequencies(photo):
    transform = RandomDegradation(choices=[[], [NOISE]], prob=[0.25, 0.75])
    clean = sum(np.array_equal(transform.transform(
        dict(gt=photo, gt_path='a.png'))['img'], photo) for _ in range(400))
    assert 60 < clean < 140


def test_chains_are_applied_in_order(photo):
    """White airlight and dense haze hide the noise only if it comes first."""
    dense = dict(HAZE, beta=(9, 10), airlight=(1, 1))
    first = degrade(photo, choices=[[NOISE, dense]])
    last = degrade(photo, choices=[[dense, NOISE]])
    assert first.std() < 0.8 * last.std()


def test_choices_can_be_nested(photo):
    inner = dict(type='irsde_mm.RandomDegradation', choices=[[NOISE]])
    assert np.std(degrade(photo, choices=[[inner]]) - photo) > 20


def test_fixed_by_name_and_seed(photo):
    options = dict(choices=[[], [HAZE], [NOISE], [HAZE, NOISE]], fixed=True)
    results = {(name, seed): degrade(photo, name, seed=seed, **options)
               for name in ('a.png', 'b.png', 'c.png') for seed in (0, 1)}
    for (name, seed), result in results.items():
        again = degrade(photo, name, seed=seed, **options)
        assert np.array_equal(result, again)
    assert len({result.tobytes() for result in results.values()}) > 2


def test_the_photo_is_not_changed(photo):
    before = photo.copy()
    result = degrade(photo, choices=[[]])
    result += 1
    assert np.array_equal(photo, before)


@pytest.mark.parametrize('options, message', [
    (dict(choices=[]), 'choices is empty'),
    (dict(choices=[[NOISE], []], prob=[1.]), 'each of the 2 choices'),
    (dict(choices=[[NOISE], []], prob=[0.5, 0.6]), 'with the sum 1'),
    (dict(choices=[[NOISE], []], prob=[-0.5, 1.5]), 'with the sum 1'),
    (dict(choices=[[dict(type='irsde_mm.Upsample', scale=2)]]),
     'Upsample is not a degradation')])
def test_invalid_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        RandomDegradation(**options)


@pytest.mark.parametrize('choices, where', [
    ([[dict(type='mmcv.LoadImageFromFile')]], 'degradation.0.choices.0.0'),
    ([[HAZE], [dict(type='irsde_mm.RandomDegradation', choices=[[
        dict(type='mmcv.LoadImageFromFile')]])]],
     'degradation.0.choices.1.0.choices.0.0'),
    ({}, 'degradation.0.choices'), ([3], 'degradation.0.choices.0')])
def test_choices_in_weights_files(choices, where):
    """A file may only name degradations, also inside of chains."""
    step = dict(type='irsde_mm.RandomDegradation', choices=choices)
    with pytest.raises(CheckpointError, match=where + ' is not'):
        check_degradation([step])
    check_degradation([dict(step, choices=[[HAZE], []])])
