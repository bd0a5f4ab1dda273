"""The benchmark of memory in training, with the small network."""
import json

import pytest
from conftest import run_tool


@pytest.mark.slow
def test_memory_of_training(tmp_path):
    assert run_tool('benchmark', 'training_memory', 'quickstart/derain',
                    '--size', 64, '--out', tmp_path / 'out.json') == 0
    found = json.loads((tmp_path / 'out.json').read_text())
    rows = found['rows']
    plain, again = rows['float32'], rows['activation checkpointing']
    assert 0 < again['per_image_mb'] < plain['per_image_mb']
    assert rows['accumulation of 4 batches of 2']['total_mb'] < (
        plain['total_mb'])
    assert rows['FSDPStrategy, 8 processes']['total_mb'] < plain['total_mb']
    assert 'generator.middle' in found['blocks']
