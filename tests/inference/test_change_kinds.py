"""Tests of the measured kinds of degradation."""
import numpy as np
import pytest
from skimage import data

from irsde_mm.apis import RestorationInferencer, changes
from irsde_mm.inference.change_kinds import describe_changes
from irsde_mm.apis.results import Restoration
from irsde_mm.commands.restore import report
from irsde_mm.datasets.transforms import (JPEG, GaussianNoise, Haze,
                                          MotionBlur, RainStreaks)

DEGRADATIONS = dict(
    rain=RainStreaks(angle=(-45, 45), length=(8, 40), density=(0.001, 0.004),
                     width=(0.4, 1.), opacity=(0, 0.3), fixed=True),
    haze=Haze(fixed=True), blur=MotionBlur(length=(12, 16), fixed=True),
    noise=GaussianNoise(25 / 255, fixed=True))


@pytest.fixture(scope='module')
def photo():
    return data.astronaut()[:256, :320].copy()


def degrade(photo, transform, name='a.png'):
    image = transform.transform(dict(gt=photo, gt_path=name))['img']
    return image.round().clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize('kind', DEGRADATIONS)
@pytest.mark.parametrize('name', ['a.png', 'b.png', 'c.png'])
def test_largest_change(kind, name, photo):
    """A perfect restoration removes what was added."""
    degraded = degrade(photo, DEGRADATIONS[kind], name)
    found = changes(degraded, photo)
    assert max(found, key=found.get) == kind
    assert describe_changes(found).startswith(f'removed {kind} (')


def test_jpeg_counts_as_noise(photo):
    found = changes(degrade(photo, JPEG((30, 30))), photo)
    assert max(found, key=found.get) == 'noise'


def test_sum_is_the_mean_change(photo):
    """The parts of rain and noise may overlap with the coarse part."""
    for transform in DEGRADATIONS.values():
        degraded = degrade(photo, transform)
        total = np.abs(degraded.mean(axis=2) - photo.mean(axis=2)).mean()
        assert 0.8 * total < sum(changes(degraded, photo).values()) \
            < 1.4 * total


def test_unchanged(photo):
    found = changes(photo, photo)
    assert found == dict.fromkeys(found, 0.)
    assert describe_changes(found) == 'almost unchanged'


def test_gray_and_tiny():
    """Photos smaller than the filters, with one channel."""
    image = np.full((2, 3, 1), 100, np.uint8)
    assert changes(image, image + 20)['haze'] == pytest.approx(20)


def test_description():
    assert describe_changes(dict(haze=0.2, rain=4.04, noise=0.6, blur=0.)) \
        == 'removed rain (4.0), noise (0.6)'


def test_report_of_a_mixed_model(photo, tmp_path):
    """Only models that were trained on a choice of degradations report."""
    restore = RestorationInferencer('derain', device='cpu')
    degraded = degrade(photo, DEGRADATIONS['rain'])
    result, = restore(degraded, show_progress=False)['predictions']
    assert result.changes == {}
    restore.pipeline.degradation = [dict(
        type='irsde_mm.RandomDegradation', choices=[[], []])]
    result, = restore(degraded, show_progress=False)['predictions']
    assert result.changes == changes(degraded, result.image)
    assert max(result.changes, key=result.changes.get) == 'rain'


def test_printed_report(photo, tmp_path, capfd):
    report([Restoration('a.png', files=[tmp_path / 'a.png'],
                        changes=changes(degrade(
                            photo, DEGRADATIONS['noise']), photo)),
            Restoration('b.png', files=[tmp_path / 'b.png'])])
    printed = capfd.readouterr()
    assert 'a.png: removed noise (' in printed.err
    assert 'b.png:' not in printed.err
