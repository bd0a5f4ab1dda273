"""Standard JSON, without NaN and Infinity."""
import json
import math

import numpy as np
import torch
from irsde_mm.io.plain_json import from_json, to_json
from mmengine.fileio import dump
from mmengine.visualization.vis_backend import LocalVisBackend
from training_logs import read_run

VALUE = dict(a=[1, math.inf, (-math.inf, 'b')], c=np.float32('nan'), d=None,
             e=np.array([1.5, math.inf]), f=torch.tensor(math.inf), g=True)
PLAIN = dict(a=[1, 'inf', ['-inf', 'b']], c='nan', d=None, e=[1.5, 'inf'],
             f='inf', g=True)


def strict(text: str):
    def refuse(word):
        raise AssertionError(f'{word} is not JSON')

    return json.loads(text, parse_constant=refuse)


def test_values_that_are_not_finite():
    assert strict(to_json(VALUE, indent=1)) == PLAIN
    back = from_json(to_json(VALUE))
    assert back['a'] == [1, math.inf, [-math.inf, 'b']]
    assert math.isnan(back['c']) and back['f'] == math.inf
    assert from_json('{"name": "info", "n": "1"}') == dict(name='info', n='1')


def test_files_written_by_mmengine(tmp_path):
    """``dump`` writes test scores and the visualizer backend writes logs,
    both after ``compat.apply``."""
    dump(dict(PSNR=math.inf, n=np.int64(3)), tmp_path / 'scores.json')
    assert strict((tmp_path / 'scores.json').read_text()) == dict(
        PSNR='inf', n=3)
    assert strict(dump(dict(x=math.nan), file_format='json')) == dict(x='nan')
    backend = LocalVisBackend(str(tmp_path / 'run'))
    backend.add_scalars(dict(loss=math.nan, lr=0.1, step=1))
    backend.add_scalars(dict(loss=0.5, lr=0.1, step=2))
    backend.add_scalars(dict(PSNR=math.inf, step=2))
    log = tmp_path / 'run' / 'scalars.json'
    assert [strict(line).get('loss') for line in log.read_text().splitlines()
            ] == ['nan', 0.5, None]
    frame = read_run(log)
    assert frame.loss.dtype == float and frame.loss[2] == 0.5
    assert frame.PSNR[2] == math.inf
