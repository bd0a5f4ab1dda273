"""tools/benchmark.py signal_leak."""
import json

import numpy as np
import pytest
import torch
from benchmarks.signal_leak import LEAKS, measure
from conftest import run_tool
from irsde_mm.apis.inference import diffusion_pipeline, init_restorer
from irsde_mm.sde import IRSDE
from PIL import Image


@pytest.mark.parametrize('name', ['deblur', 'dehaze', 'sr'])
def test_starts(name, monkeypatch):
    """They differ by a_T (x0 - mu) and have the same noise."""
    pipeline = diffusion_pipeline(init_restorer(name, device='cpu'), '')
    h, w, n = 40, 48, pipeline.upscale
    rng = np.random.default_rng(0)
    clean = rng.integers(0, 256, (n * h + 2, n * w, 3), dtype=np.uint8)
    degraded = rng.integers(0, 256, (h, w, 3), dtype=np.uint8)
    states = []

    def restore_batch(images, start):
        assert np.array_equal(images[0], degraded) and start[1] == 100
        states.append(start[0])
        return [clean[:n * h]]

    monkeypatch.setattr(pipeline, 'restore_batch', restore_batch)
    scores = measure(pipeline, [dict(img=degraded, gt=clean)], 0)
    assert list(scores) == list(LEAKS) and set(scores.values()) == {100}
    sampling, training, opposite = states
    mu = pipeline.as_inputs([degraded])[0]
    with torch.no_grad():
        mu = pipeline.hooks.condition(mu)
    x0 = pipeline.as_inputs([clean[:n * h]], False)[0]
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(mu.shape, generator=generator)
    for state, start in ((sampling, mu), (training, x0),
                         (opposite, 2 * mu - x0)):
        torch.testing.assert_close(
            state, pipeline.sde.perturb(start, mu, 100, noise))


def test_table(tmp_path, capfd, error, monkeypatch):
    photos, out = tmp_path / 'photos', tmp_path / 'rows.json'
    photos.mkdir()
    ramp = np.linspace(0, 255, 96 * 64 * 3).reshape(96, 64, 3)
    for name in 'ab':
        Image.fromarray(ramp.astype(np.uint8)).save(photos / f'{name}.png')
    args = ('benchmark', 'signal_leak', 'deblur', 'dehaze', '--degradation',
            'dehaze', '--data', photos, '--device', 'cpu')
    assert run_tool(*args, '--images', 1, '--out', out) == 0
    assert 'opposite' in capfd.readouterr().out
    deblur, dehaze = json.loads(out.read_text())
    assert deblur['images'] == dehaze['images'] == 1
    assert deblur['a_T'] == pytest.approx(0.005)
    assert dehaze['a_T'] == pytest.approx(1e-5)
    assert dehaze['sampling'] == pytest.approx(dehaze['training'], abs=0.05)
    assert dehaze['sampling'] > deblur['sampling'] + 1
    assert 'not overwritten' in error(*args, '--out', out)
    monkeypatch.setattr(IRSDE, 'starts_at_noise_level', True)
    assert "'deblur' does not start at T" in error(*args)
