"""The picture of the scores of the processes."""
import json

import draw_family_scores
from conftest import run_tool
from PIL import Image


def results():
    rows = [dict(task='derain', model='input', PSNR=20., LPIPS=0.4),
            dict(task='derain', model='regression', PSNR=28., LPIPS=0.16,
                 network_calls=1.)]
    for process in ('IR-SDE', 'GOUB'):
        for output, lpips in (('paper', 1.2), ('x0', 0.2)):
            rows += [dict(task='derain', model=f'{process}, {output}, {n} '
                          f'call{"s" * (n > 1)}', PSNR=28. - n / 10,
                          LPIPS=lpips / n, network_calls=float(n))
                     for n in (1, 5)]
    return rows


def test_curves():
    """Outliers are left out; each process and output has a curve."""
    found = draw_family_scores.curves(results(), 'derain')
    assert found[('GOUB', 'x0')] == [(27.9, 0.2, 1), (27.5, 0.04, 5)]
    assert found[('GOUB', 'paper')] == [(27.5, 0.24, 5)]
    assert found[('input', '')] == [(20., 0.4, 0)]
    assert len(found) == 6


def test_picture(tmp_path, capfd, error):
    picture, file = tmp_path / 'a.png', tmp_path / 'results.json'
    assert "is not the results.json" in error('draw_family_scores', file)
    file.write_text(json.dumps(dict(results=results())))
    assert run_tool('draw_family_scores', file, '--out', picture) == 0
    assert str(picture) in capfd.readouterr().out
    with Image.open(picture) as image:
        assert image.width > 500
