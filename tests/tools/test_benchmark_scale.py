"""Simulation of many workers, and its measurements."""
import dataclasses
import json

import pytest
from benchmarks.scale_simulation import Inputs, simulate
from conftest import run_tool

INPUTS = Inputs(batch=16, worker_seconds=(0.01, ), network_seconds=0.008,
                load_seconds=3., driver_seconds=1e-4, listing_seconds=1e-5,
                reads=1., writes=1., delay=0.)
PHOTOS = 160_000


def run(workers, **changes):
    return simulate(dataclasses.replace(INPUTS, **changes), workers, PHOTOS)


def test_one_worker():
    found = run(1)
    assert found['seconds'] == pytest.approx(
        PHOTOS * (0.01 + 1e-5) + 3, rel=1e-4)
    assert found['efficiency'] == pytest.approx(0.8, rel=0.01)
    assert found['bound'] == 'workers'
    assert found['hours'] == pytest.approx(10_010 / 3600, rel=0.01)


def test_ten_workers_are_ten_times_as_fast():
    assert run(10)['photos_per_second'] == pytest.approx(
        10 * run(1)['photos_per_second'], rel=0.05)


@pytest.mark.parametrize('part, rate, changes', [
    ('driver', 1000, dict(driver_seconds=1e-3)),
    ('writes', 875, dict(writes=4.)),
    ('reads', 1100, dict(reads=5.)),
    ('listing', 500, dict(listing_seconds=2e-3))])
def test_bounds(part, rate, changes):
    """The driver and the object store limit any number of workers."""
    found = run(1000, **changes)
    assert found['bound'] == part
    assert rate * 0.8 < found['photos_per_second'] <= rate


def test_loading_bounds_short_runs():
    assert run(10_000, load_seconds=1000.)['bound'] == 'loading'


def test_workers_wait_for_the_store():
    """Eight photos are read at a time, and written one by one."""
    assert run(1, delay=0.08)['seconds'] == pytest.approx(
        PHOTOS * (0.01 + 0.08 / 8 + 0.08 + 1e-5) + 3, rel=1e-3)


@pytest.mark.slow
def test_benchmark(tmp_path, capfd):
    out = tmp_path / 'scale.json'
    arguments = ['--images', 32, '--size', 32, '--repeats', 1, '--workers', 2,
                 '--batch-size', 1]
    assert run_tool('benchmark', 'scale', *arguments, '--out', out) == 0
    found = json.loads(out.read_text())
    assert {(row['engine'], row['workers']) for row in found['summary']} == {
        ('network', 2), ('local', 2), ('ray', 2)}
    assert found['measured']['different'] == 0
    assert found['measured']['requests'] == dict(HEAD=1, GET=1, PUT=1)
    assert [row['workers'] for row in found['simulated']] == [
        1, 10, 100, 1000]
    again = tmp_path / 'again.json'
    assert run_tool('benchmark', 'scale', '--measured', out, '--delay', 0,
                    '--out', again) == 0
    assert json.loads(again.read_text())['summary'] == found['summary']
    assert 'simulated: a million photos' in capfd.readouterr().out


def test_other_files_are_refused(tmp_path, error):
    path = tmp_path / 'other.json'
    path.write_text('{}')
    assert 'is not a file of this benchmark' in error(
        'benchmark', 'scale', '--measured', path)
