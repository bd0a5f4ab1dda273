"""tools/benchmark.py data_consistency."""
import json

import numpy as np
import pytest
from conftest import run_tool
from irsde_mm.evaluation import LPIPS
from PIL import Image


@pytest.mark.slow
def test_scores(tmp_path, error):
    if not LPIPS().has_weights:
        pytest.skip('tools/prepare_weights.py lpips was not run')
    photo = np.random.default_rng(0).integers(0, 250, (160, 200, 3))
    photos, out = tmp_path / 'photos', tmp_path / 'scores.json'
    photos.mkdir()
    Image.fromarray(photo.astype(np.uint8)).save(photos / 'a.png')
    args = ('benchmark', 'data_consistency', photos, '--out', out, '--picture',
            tmp_path / 'picture.png')
    assert run_tool(*args, '--device', 'cpu') == 0
    rows = {(row['task'], row['consistency']): row
            for row in json.loads(out.read_text())}
    assert len(rows) == 12
    for task in ('holes', 'low resolution', 'blur', 'blur, noise 5'):
        for every in ('last', 'step'):
            found, plain = rows[task, every], rows[task, 'without']
            assert found['residual'] < plain['residual']
    assert rows['holes', 'step']['residual'] == 0
    with Image.open(tmp_path / 'picture.png') as picture:
        assert picture.size[0] > 5 * 150
    assert 'not overwritten' in error(*args)
