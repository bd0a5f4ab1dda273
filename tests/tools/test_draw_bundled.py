"""The pictures of the bundled models show each of them at work."""
import draw_bundled
import numpy as np
import pytest
from irsde_mm.model_files import bundled_models
from irsde_mm.registry import TRANSFORMS

TRANSFORMS.import_from_location()
BUNDLED = draw_bundled.PICTURES['bundled']


def test_all_models_are_shown():
    assert {task for task, *_ in BUNDLED} == set(bundled_models())


@pytest.mark.parametrize('row', [
    row for row in BUNDLED if row[0] in ('derain', 'auto')])
def test_restored_pictures_are_nearer_to_the_clean_one(row):
    degraded, restored, clean = draw_bundled.pictures(*row)
    assert {image.shape for image in (degraded, restored, clean)} == {
        (*draw_bundled.SIZE, 3)}
    before, after = (np.abs(image - clean.astype(float)).mean()
                     for image in (degraded, restored))
    assert 0 < after < before / (2 if row[0] == 'derain' else 1)


def test_pictures(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr('sys.argv', ['draw_bundled.py'])
    monkeypatch.setattr(draw_bundled, 'IMAGES', tmp_path)
    monkeypatch.setattr(draw_bundled, 'PICTURES', {
        name: rows[:1] for name, rows in draw_bundled.PICTURES.items()})
    draw_bundled.main()
    out = capsys.readouterr().out
    for name in draw_bundled.PICTURES:
        assert f'{name}.jpg: ' in out
        assert (tmp_path / f'{name}.jpg').stat().st_size > 10_000
