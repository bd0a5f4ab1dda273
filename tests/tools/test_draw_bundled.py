"""The picture of the bundled models shows each of them at work."""
import draw_bundled
import numpy as np
from irsde_mm.model_files import bundled_models
from irsde_mm.registry import TRANSFORMS

TRANSFORMS.import_from_location()


def test_all_models_are_shown():
    assert {task for task, *_ in draw_bundled.ROWS} == set(bundled_models())


def test_restored_pictures_are_nearer_to_the_clean_one():
    row, = (row for row in draw_bundled.ROWS if row[0] == 'derain')
    degraded, restored, clean = draw_bundled.pictures(*row)
    assert {image.shape for image in (degraded, restored, clean)} == {
        (*draw_bundled.SIZE, 3)}
    before, after = (np.abs(image - clean.astype(float)).mean()
                     for image in (degraded, restored))
    assert 0 < after < before / 2


def test_picture(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr('sys.argv', ['draw_bundled.py'])
    monkeypatch.setattr(draw_bundled, 'PICTURE', tmp_path / 'a.jpg')
    monkeypatch.setattr(draw_bundled, 'ROWS', draw_bundled.ROWS[:1])
    draw_bundled.main()
    assert 'a.jpg: ' in capsys.readouterr().out
