"""Engine of Ray Data."""
import os
import pickle
import sqlite3
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT
from irsde_mm.errors import CheckpointError, ConfigError
from irsde_mm.model_files import bundled_model
from irsde_mm.scale import Job, restore_all
from irsde_mm.scale.engines import ray_data
from irsde_mm.scale.engines.ray_data import shares
from PIL import Image

PHOTOS = 20


@pytest.fixture(scope='module')
def source(tmp_path_factory):
    """Photos of two sizes in two folders, and a broken one."""
    folder = tmp_path_factory.mktemp('source')
    rng = np.random.default_rng(0)
    for i in range(PHOTOS):
        path = folder / f'{i % 2}' / f'p{i}.png'
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (24, 32 + 8 * (i % 2), 3),
                                     np.uint8)).save(path)
    (folder / 'broken.jpg').write_bytes(b'\xff\xd8 no photo')
    return folder


def job_of(source, target, **options) -> Job:
    return Job.create(source, target, 'derain', steps=2, batch_size=1,
                      **options)


def results(folder) -> dict:
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob('*.png')}


def reasons(folder) -> dict:
    """Return the reasons of the failures by the names of the photos."""
    with sqlite3.connect(folder / '.irsde' / 'manifest.sqlite') as base:
        return dict(base.execute(
            "SELECT name, reason FROM photos WHERE state = 'failed'"))


def test_missing_package(source, tmp_path, error, monkeypatch):
    monkeypatch.setitem(sys.modules, 'ray', None)
    monkeypatch.setitem(sys.modules, 'ray.data', None)
    text = error('restore', source, '--task', 'derain', '--engine', 'ray',
                 '--out', tmp_path / 'out')
    assert "pip install 'irsde-mm[ray]'" in text
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('workers, cpus, gpus, device, expected', [
    (2, 2, 0, None, dict(num_cpus=1)),
    (3, 2, 0, None, dict(num_cpus=0.5)),
    (2, 8, 2, None, dict(num_cpus=1, num_gpus=1)),
    (4, 8, 3, 'cuda', dict(num_cpus=1, num_gpus=0.5)),
    (4, 8, 3, 'cpu', dict(num_cpus=1))])
def test_shares(workers, cpus, gpus, device, expected):
    """All workers fit into the cluster, and GPUs are not split needlessly."""
    resources = dict(CPU=cpus, **(dict(GPU=gpus) if gpus else {}))
    assert shares(device, workers, resources) == expected


@pytest.mark.parametrize('device, words', [
    ('cuda', 'has no GPU'), ('cuda:1', 'use --device cuda')])
def test_devices_that_ray_lacks(device, words):
    with pytest.raises(ConfigError, match=words):
        shares(device, 1, dict(CPU=2))


@pytest.mark.parametrize('address', ['127.0.0.1:1', 'ray://127.0.0.1:1',
                                     'nonsense'])
def test_no_cluster(address, monkeypatch):
    pytest.importorskip('ray')
    monkeypatch.setenv('RAY_ADDRESS', address)
    with pytest.raises(ConfigError, match=f'RAY_ADDRESS={address}: '):
        ray_data.connect()


@pytest.mark.slow
def test_same_results(source, tmp_path, capfd):
    """As of the local engine; a broken photo fails for the same reason."""
    for engine, workers in (('local', 1), ('ray', 2)):
        summary = restore_all(job_of(source, tmp_path / engine), engine,
                              workers, show_progress=False)
        assert (summary.done, summary.failed) == (PHOTOS, 1)
    assert results(tmp_path / 'ray') == results(tmp_path / 'local')
    assert len(results(tmp_path / 'ray')) == PHOTOS
    assert reasons(tmp_path / 'ray') == reasons(tmp_path / 'local')
    assert ''.join(capfd.readouterr()) == ''


class Poisoned(ray_data.Actor):
    """Actor whose process ends with p8 and, at its first try, with p3."""

    def __init__(self, job):
        super().__init__(job)
        self.mark = f'{job.target}/p3_was_tried'

    def __call__(self, batch):
        names = {item.name for items in batch['items']
                 for item in pickle.loads(items)}
        if '1/p3.png' in names and not os.path.exists(self.mark):
            open(self.mark, 'w').close()
            os._exit(1)
        if '0/p8.png' in names:
            os._exit(1)
        return super().__call__(batch)


@pytest.mark.slow
def test_photo_that_ends_processes(source, tmp_path, capfd, monkeypatch):
    """It alone fails, and with a reason; a lost worker is replaced."""
    ray_data.check(2)  # settings that Ray reads when it is imported
    from ray import cloudpickle
    # workers do not import the tests
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    monkeypatch.setattr(ray_data, 'Actor', Poisoned)
    summary = restore_all(job_of(source, tmp_path, retries=1), 'ray', 2,
                          show_progress=False)
    assert (summary.done, summary.failed) == (PHOTOS - 1, 2)
    assert 'has ended each time' in reasons(tmp_path)['0/p8.png']
    assert len(results(tmp_path)) == PHOTOS - 1
    assert ''.join(capfd.readouterr()) == ''


@pytest.mark.slow
def test_errors_of_workers(source, tmp_path):
    """They are raised as they are."""
    model = tmp_path / 'model.safetensors'
    content = bundled_model('derain').read_bytes()
    model.write_bytes(content)
    job = Job.create(source, tmp_path / 'out', model, steps=2)
    model.write_bytes(content[:-1])
    with pytest.raises(CheckpointError, match='are not those'):
        restore_all(job, 'ray', 1, show_progress=False)


@pytest.mark.slow
def test_cluster_of_others(source, tmp_path, monkeypatch):
    """A cluster that was started before is used, and goes on."""
    import ray
    ray_data.connect()
    try:
        address = ray.get_runtime_context().gcs_address
        command = [sys.executable, ROOT / 'tools' / 'restore.py', source,
                   '--task', 'derain', '--steps', 2, '--engine', 'ray',
                   '--out', tmp_path / 'command']
        out = subprocess.run(
            [*map(str, command)], capture_output=True, text=True, env={
                **os.environ, 'RAY_ADDRESS': address,
                'PYTHONPATH': str(ROOT)})
        assert f'{PHOTOS} photo(s) restored' in out.stdout, out.stderr
        assert 'ray' not in out.stderr.lower()
        restore_all(job_of(source, tmp_path / 'call'), 'ray', 1,
                    show_progress=False)
        assert ray.is_initialized()
        assert len(results(tmp_path / 'call')) == PHOTOS
    finally:
        ray.shutdown()
