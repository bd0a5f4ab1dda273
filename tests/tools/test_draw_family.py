"""The picture of the family shows all processes."""
import draw_family
import torch
from conftest import registered
from irsde_mm.sde import SDE
from PIL import Image


def test_all_processes_are_shown():
    shown = {type(process) for process, _ in draw_family.processes().values()}
    assert shown == set(registered(SDE))


def test_curves():
    for process, _ in draw_family.processes().values():
        share, a, b, c = draw_family.curves(process, 11)
        assert a[0] == 1 and b[0] == c[0] == 0
        assert (a.diff() <= 0).all() and (b.diff() >= 0).all()
        assert torch.isfinite(c).all() and c.max() > 5


def test_picture(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr('sys.argv', ['draw_family.py'])
    monkeypatch.setattr(draw_family, 'PICTURE', tmp_path / 'a.png')
    draw_family.main()
    assert 'a.png: ' in capsys.readouterr().out
    with Image.open(tmp_path / 'a.png') as image:
        assert image.width > 1000
