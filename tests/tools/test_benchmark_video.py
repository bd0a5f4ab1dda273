"""tools/benchmark.py video."""
import json

import numpy as np
import pytest
from benchmarks import video
from benchmarks.video import PANS, Pan, flicker, frames_of, psnr, with_rain
from conftest import run_tool

STILL = Pan('rocket', (200, 120), (0, 0))


@pytest.mark.parametrize('pan', [*PANS, STILL])
def test_flicker_of_clean_pans(pan):
    """Only interpolation remains between the pixels; without compensation,
    the difference is that of the motion."""
    frames = frames_of(pan, 4, (96, 64))
    error = flicker(frames, pan.motion)
    whole = all(float(v).is_integer() for v in pan.motion)
    assert error == 0 if whole else 0 < error < 3
    if any(pan.motion):
        assert flicker(frames, (0, 0)) > error + 1
        assert flicker(frames, [-v for v in pan.motion]) > error + 2
    brighter = [image // 2 + 4 * i for i, image in enumerate(frames)]
    assert abs(flicker(brighter, pan.motion) - 4) < 2


def test_rain_moves():
    frame, = frames_of(PANS[0], 1, (96, 64))
    one, same, other = (with_rain(frame, i) for i in (1, 1, 2))
    assert np.array_equal(one, same) and not np.array_equal(one, other)
    assert psnr([one], [frame]) < 35 and psnr([frame], [frame]) == np.inf


def test_table(tmp_path, capfd, error, monkeypatch):
    monkeypatch.setattr(video, 'PANS', (PANS[0], STILL))
    out = tmp_path / 'table.json'
    args = ('benchmark', 'video', 'derain', '--device', 'cpu', '--frames', 2,
            '--resolution', 32, 32)
    assert run_tool(*args, '--calls', 1, '--out', out) == 0
    rows = json.loads(out.read_text())
    assert len(rows) == 2 * 2 * 4
    assert capfd.readouterr().out.count('| shared |') == 4
    by_key = {(r['clip'], r['rain'], r['noise']): r for r in rows}
    for clip, rain in (('chelsea', 'yes'), ('rocket', 'yes')):
        assert by_key[clip, rain, 'input']['flicker'] > by_key[
            clip, rain, 'shared']['flicker'] > 0
    # still frames with the same noise are equal
    assert by_key['rocket', 'no', 'shared']['flicker'] == 0
    assert by_key['rocket', 'no', 'frame']['flicker'] > 0
    assert '--frames at least 2' in error(*args, '--frames', 1)
    assert 'too small' in error(*args, '--frames', 500)
