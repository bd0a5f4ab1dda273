"""Intervals: coverage as promised on errors of known distributions."""
import dataclasses
import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from irsde_mm.errors import CheckpointError, ConfigError
from irsde_mm.inference import calibrating
from irsde_mm.inference.calibrating import (MULTIPLIERS, Measured, calibrate,
                                            fit_weights, multipliers,
                                            photos_in_all, sample,
                                            split_sizes)
from irsde_mm.inference.intervals import (FEATURES, SIGNS, Calibration,
                                          box_mean, box_std, calibration_for,
                                          photos_needed, sampler_text)
from irsde_mm.samplers import (JumpSampler, MultistepSampler,
                               PosteriorSampler)

LEVELS = (0.5, 0.8, 0.9, 0.95)
SHAPE = (24, 20, 3)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(calibrating, 'SAMPLED', 2000)


def photo(seed: int, difficulty: float = 0.3, laplace: bool = False
          ) -> Measured:
    """A photo whose error grows with the change by the model, up to a factor
    of its own."""
    rng = np.random.default_rng(seed)
    change = np.repeat(rng.uniform(0, 30, (24, 20, 1)), 3, axis=2)
    noise = rng.laplace(size=SHAPE) if laplace else rng.normal(size=SHAPE)
    error = (1 + 0.2 * change) * noise * np.exp(
        difficulty * rng.normal())
    restored = np.full(SHAPE, 128.)
    return Measured(*(np.rint(image).clip(0, 255).astype(np.uint8)
                      for image in (restored + error, restored,
                                    restored + change)))


def made(seeds, **options) -> Calibration:
    photos = {f'{i}.png': photo(i, **options) for i in seeds}
    return calibrate(list(photos), photos.__getitem__, 'none')


def bounds(calibration: Calibration, found: Measured, level: float) -> tuple:
    return calibration.bounds(found.restored, calibration.scale(
        found.restored, found.degraded), level)


def doubt(calibration: Calibration, found: Measured) -> str:
    return calibration.doubt(found.restored, found.degraded, calibration.scale(
        found.restored, found.degraded))


def coverage(calibration: Calibration, level: float, seeds,
             **options) -> float:
    shares = []
    for i in seeds:
        found = photo(i, **options)
        lower, upper = bounds(calibration, found, level)
        shares.append(((lower <= found.clean) & (found.clean <= upper)
                       ).mean())
    return float(np.mean(shares))


@pytest.mark.parametrize('laplace', [False, True])
def test_coverage_of_new_photos(laplace):
    """Over many calibrations, heteroscedastic errors: at least the level,
    and at most a few points more."""
    shares = {level: [] for level in LEVELS}
    for trial in range(8):
        start = 1000 * trial
        calibration = made(range(start, start + 30), laplace=laplace)
        for level in LEVELS:
            shares[level].append(coverage(
                calibration, level, range(start + 500, start + 530),
                laplace=laplace))
    for level in LEVELS:
        assert level - 0.015 < np.mean(shares[level]) < level + 0.04, level


def test_expected_coverage_of_few_photos(monkeypatch):
    """The rule itself, for miss rates of any shape: the expected miss rate of
    a new photo exceeds 1 - level by no more than the gap between the worst
    and the second worst photo permits."""
    tried = np.linspace(0, 100, 2001)  # fewer, to be fast
    monkeypatch.setattr(calibrating, 'MULTIPLIERS', tried)
    rng = np.random.default_rng(0)
    n, trials, level = 9, 1000, 0.9
    missed, gaps = [], []
    for _ in range(trials):
        # a photo in ten is much harder than the others
        hard = np.where(rng.random(n + 1) < 0.1, 20, rng.uniform(1, 3, n + 1))
        curves = np.exp(-tried / hard[:, None])
        place = np.searchsorted(tried, multipliers(curves[:n])[400])
        missed.append(curves[n, place])
        worst = np.sort(curves[:, place])[-2:]
        gaps.append((worst[1] - worst[0]) / (n + 1))
    slack = 3 * np.std(missed) / trials**0.5
    assert np.mean(missed) <= 1 - level + np.mean(gaps) + slack
    assert np.mean(missed) > 1 - level - 0.03


def test_intervals_are_nested():
    calibration, new = made(range(30)), photo(99)
    steps = calibration.multipliers
    assert steps == sorted(steps) and len(set(steps)) > 100
    found = [bounds(calibration, new, level)
             for level in (0.5, 0.6, 0.803, 0.9, 0.95)]
    for (low, high), (lower, upper) in zip(found, found[1:]):
        assert (lower <= low).all() and (low <= high).all()
        assert (high <= upper).all()
    assert calibration.multiplier(0.8025) == calibration.multiplier(0.803)


def test_features_narrow_the_intervals():
    photos = {f'{i}.png': photo(i) for i in range(30)}
    new = photo(99)
    widths = []
    for features in (tuple(FEATURES), ('constant', )):
        calibration = calibrate(list(photos), photos.__getitem__, 'none',
                                features)
        lower, upper = bounds(calibration, new, 0.9)
        widths.append((upper - lower).mean())
    assert widths[0] < 0.95 * widths[1]


def test_the_fit_finds_the_scale():
    rng = np.random.default_rng(0)
    features = rng.uniform(0, 10, (50_000, 3))
    weights = np.array([0.5, 0., 2.])
    errors = np.abs(rng.normal(size=50_000)) * (features @ weights)
    mean = (2 / np.pi)**0.5
    assert fit_weights([(features, errors)]) == pytest.approx(
        weights * mean, abs=0.06)
    # in pictures, where several features are nearly the same
    calibration, new = made(range(30), difficulty=0), photo(99)
    scale = calibration.scale(new.restored, new.degraded).numpy()
    change = (new.degraded.astype(float) - new.restored).transpose(2, 0, 1)
    true = (1 + 0.2 * change) * mean
    assert np.corrcoef(scale.ravel(), true.ravel())[0, 1] > 0.99
    assert abs(scale.mean() / true.mean() - 1) < 0.05


@settings(max_examples=3, deadline=None)
@given(st.permutations(range(12)))
def test_the_order_of_photos_does_not_matter(order):
    assert made(order) == made(range(12))


def test_windows_at_the_border():
    image = torch.rand(3, 5, 9) * 255
    mean, std = box_mean(image, 7), box_std(image, 7)
    part = image[:, :4, :4]  # what a window at the corner contains
    assert torch.allclose(mean[:, 0, 0], part.mean(dim=(1, 2)))
    assert torch.allclose(std[:, 0, 0], part.flatten(1).std(
        dim=1, correction=0), atol=1e-2)
    assert box_std(torch.full((1, 2, 1), 255.), 15).max() == 0


def test_bounds_are_gray_levels_inside_of_the_interval():
    calibration = Calibration(dict(constant=1.), [2.5], 1, 'none',
                              dict.fromkeys(SIGNS, (0., 300.)))
    image = np.array([0, 1, 100, 254, 255], np.uint8).reshape(1, 5, 1)
    lower, upper = bounds(
        calibration, Measured(image, image, image), 0.5)
    assert lower.ravel().tolist() == [0, 0, 98, 252, 253]
    assert upper.ravel().tolist() == [2, 3, 102, 255, 255]


def test_doubt():
    calibration, new = made(range(30)), photo(99)
    assert doubt(calibration, new) == ''
    other = np.clip(new.restored + 90, 0, 255).astype(np.uint8)
    assert 'the mean change by the model is 90.0 gray levels, there' in \
        doubt(calibration, new._replace(degraded=other))


def test_settings_are_exact():
    calibration = made(range(30))
    text = json.dumps(calibration.settings())
    assert Calibration(**json.loads(text)) == Calibration(**json.loads(
        json.dumps(Calibration(**json.loads(text)).settings())))
    again = Calibration(**json.loads(text))
    new = photo(99)
    for a, b in zip(bounds(calibration, new, 0.9),
                    bounds(again, new, 0.9)):
        assert np.array_equal(a, b)
    assert doubt(again, new) == ''


@pytest.mark.parametrize('change', [
    dict(weights=dict(colour=1.)), dict(weights=dict(constant=-1.)),
    dict(weights=dict(constant=float('nan'))), dict(multipliers=[]),
    dict(multipliers=[2., 1.]), dict(multipliers=[1e9]),
    dict(multipliers=['1']), dict(multipliers=[1.] * 492),
    dict(photos=True), dict(sampler=3), dict(seen=dict(change=(0., 1.))),
    dict(seen=dict(change=(0., 1.), scale=(0., )))])
def test_invalid_settings_are_refused(change):
    good = made(range(12)).settings()
    Calibration(**good)
    with pytest.raises((ValueError, KeyError)):
        Calibration(**dict(good, **change))


@pytest.mark.parametrize('level, number', [
    (0.5, 1), (0.8, 4), (0.9, 9), (0.95, 19), (0.99, 99)])
def test_photos_needed(level, number):
    assert photos_needed(level) == number
    total = photos_in_all(level)
    assert split_sizes(total)[1] >= number
    assert total < 5 or split_sizes(total - 1)[1] < number or total == 5
    curves = np.exp(-np.outer(np.ones(number), MULTIPLIERS))
    assert len(multipliers(curves)) == round(1000 * (level - 0.5)) + 1


def test_refused_levels_and_samplers():
    calibration = made(range(30))  # 24 photos for the quantiles
    sampler = JumpSampler(num_steps=5, eta=0.7)
    for level in (0.3, 1, 0.995, '0.9', True, float('nan')):
        with pytest.raises(ConfigError, match='from 0.5 to 0.99'):
            calibration_for(calibration, level, sampler)
    with pytest.raises(ConfigError, match=r'levels up to 0.96,.* needs 33'):
        calibration_for(calibration, 0.97, None)
    with pytest.raises(ConfigError, match='tools/calibrate.py MODEL'):
        calibration_for(None, 0.9, sampler)
    with pytest.raises(ConfigError, match=r'holds for none, not for Jump'):
        calibration_for(calibration, 0.9, sampler)
    text = sampler_text(sampler, 4)
    assert text == sampler_text(sampler) + ' with self_ensemble=4'
    calibration = dataclasses.replace(calibration, sampler=text)
    assert calibration_for(calibration, 0.9, sampler, 4) is calibration
    with pytest.raises(ConfigError, match='--self-ensemble'):
        calibration_for(calibration, 0.9, sampler, 2)


def test_texts_of_samplers_differ():
    samplers = [JumpSampler(5, eta=0.7), JumpSampler(6, eta=0.7),
                JumpSampler(5, eta=0.), JumpSampler(5, (0, 1), eta=0.7),
                PosteriorSampler(5), MultistepSampler(5),
                MultistepSampler(5, order=1)]
    assert len(set(map(sampler_text, samplers))) == len(samplers)
    assert sampler_text(JumpSampler(5, [0, 1])) == sampler_text(
        JumpSampler(5, (0, 1)))


def test_sampled_pixels_depend_on_the_name():
    one = photo(0)
    a, b, c = (sample(name, one, ('constant', 'change'))[1]
               for name in ('a.png', 'x/a.png', 'b.png'))
    assert np.array_equal(a, b) and not np.array_equal(a, c)


def test_error_of_a_file(tmp_path):
    """A calibration that is not valid is an error of the file."""
    from irsde_mm.model_files import bundled_models, open_pipeline
    from irsde_mm.model_files.exported import read_parts, write_exported
    path = tmp_path / 'x.safetensors'
    weights, texts = read_parts(str(next(iter(bundled_models().values()))))
    for text in ('{}', '[]', '{"weights": {"__x": 1}}', '3'):
        write_exported(path, weights, dict(texts, calibration=text))
        with pytest.raises(CheckpointError, match='x.safetensors'):
            open_pipeline(path, 'cpu')
        path.unlink()
