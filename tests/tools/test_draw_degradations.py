"""The picture of the degradations shows all of them and differs from clean."""
import draw_degradations
import numpy as np
import pytest
from irsde_mm.datasets.transforms import Degradation
from irsde_mm.registry import TRANSFORMS
from PIL import Image

TRANSFORMS.import_from_location()
STEPS = [step for *_, columns in draw_degradations.ROWS
         for _, steps in columns for step in steps]


def test_all_degradations_are_shown():
    own = {name for name, cls in TRANSFORMS.module_dict.items()
           if issubclass(cls, Degradation)
           and cls.__module__.startswith('irsde_mm.')}
    own.remove('RandomDegradation')  # one of the others
    assert own <= {step['type'] for step in STEPS}


@pytest.mark.parametrize('row', draw_degradations.ROWS,
                         ids=lambda row: row[2][0][0])
def test_each_picture_is_degraded_in_its_own_way(row):
    name, corner, columns = row
    images = [draw_degradations.degraded(name, corner)] + [
        draw_degradations.degraded(name, corner, steps)
        for _, steps in columns]
    for i, image in enumerate(images):
        assert image.shape == (*draw_degradations.SIZE, 3)
        for other in images[:i]:
            assert np.abs(image - other.astype(float)).mean() > 0.5


def test_picture(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr('sys.argv', ['draw_degradations.py'])
    monkeypatch.setattr(draw_degradations, 'PICTURE', tmp_path / 'a.jpg')
    monkeypatch.setattr(draw_degradations, 'ROWS', draw_degradations.ROWS[:2])
    draw_degradations.main()
    assert 'a.jpg: ' in capsys.readouterr().out
    h, w = draw_degradations.SIZE
    with Image.open(tmp_path / 'a.jpg') as image:
        assert image.width > 4 * w and image.height > 2 * h
