"""irsde restore with an engine: results, goings-on, and refused input."""
import errno
import sqlite3
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from conftest import run_tool
from irsde_mm.errors import CheckpointError, ConfigError, OutputError
from irsde_mm.scale import Item, Job, Worker, restore_all, sources
from irsde_mm.scale import worker as worker_module
from irsde_mm.scale.engines import local
from irsde_mm.scale.items import DONE, FAILED
from irsde_mm.scale.places import Place
from PIL import Image
from stub_workers import serve_stub

MODEL = 'derain'
STEPS = 2


def draw(path: Path, seed: int, size=(32, 24), **options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3))
    Image.fromarray(pixels.astype(np.uint8)).save(path, **options)


@pytest.fixture
def source(tmp_path) -> Path:
    """Photos of two sizes in two folders, two of them with the same name."""
    folder = tmp_path / 'source'
    for i in range(4):
        draw(folder / f'p{i}.jpg', i, (32 + 24 * (i % 2), 24), dpi=(90, 90))
    draw(folder / 'sub' / 'p0.png', 7)
    return folder


@pytest.fixture
def plain(source, tmp_path) -> dict:
    """Results of restore without an engine."""
    out = tmp_path / 'plain'
    assert run_tool('restore', f'{source}/**/*', '--task', MODEL, '--steps',
                    STEPS, '--out', out) == 0
    return results(out)


def results(folder: Path) -> dict:
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob('*.png')}


def job_of(source, target, **options) -> Job:
    return Job.create(source, target, MODEL, steps=STEPS, **options)


def restore(source, target, **options):
    return restore_all(job_of(source, target, **options),
                       show_progress=False)


def states(folder: Path) -> dict:
    with sqlite3.connect(folder / '.irsde' / 'manifest.sqlite') as base:
        return dict(base.execute('SELECT name, state FROM photos'))


@pytest.fixture(scope='module')
def one_load():
    """Load the model once, to save time."""
    found, load = {}, worker_module.open_pipeline

    def open_once(*args):
        if args not in found:
            found[args] = load(*args)
        return found[args]

    patch = pytest.MonkeyPatch()
    patch.setattr(worker_module, 'open_pipeline', open_once)
    yield
    patch.undo()


# ---------------------------------------------------------------- results


def test_results_are_those_of_restore(source, plain, tmp_path, capsys):
    """Same names, pixels and metadata; run again, nothing is done."""
    out = tmp_path / 'out'
    command = ('restore', source, '--task', MODEL, '--steps', STEPS, '--out',
               out, '--engine', 'local')
    assert run_tool(*command) == 0
    assert results(out) == plain
    assert f"5 photo(s) restored in '{out}'\n" in capsys.readouterr().out
    written = {path: path.stat().st_mtime_ns for path in out.rglob('*.png')}
    assert run_tool(*command) == 0
    assert '5 photo(s) restored' in (text := capsys.readouterr().out)
    assert '5 of them before' in text
    assert {path: path.stat().st_mtime_ns
            for path in out.rglob('*.png')} == written


def test_addresses(source, plain):
    """In an object store, with batches of one."""
    place = Place('memory://scale/photos')
    for path in source.rglob('*.*'):
        place.create(str(path.relative_to(source)), path.read_bytes())
    target = Place('memory://scale/out')
    summary = restore(place.address, target.address, batch_size=1)
    assert (summary.total, summary.done, summary.failed) == (5, 5, 0)
    assert {name: target.read(name) for name, _ in target.walk()} == plain
    assert target.exists('.irsde/manifest.sqlite')
    assert not target.exists('.irsde/owner.json')
    # the snapshot of the manifest is lost, or old
    target.fs.rm(target.path('p1.png'))
    summary = restore(place.address, target.address)
    assert (summary.done, summary.before) == (5, 4)
    place.fs.store.clear()


def test_shards_are_restored(source, plain, tmp_path, monkeypatch):
    import tarfile
    for i, name in enumerate(('p0.jpg', 'p1.jpg', 'sub/p0.png')):
        with tarfile.open(tmp_path / f'x-{i}.tar', 'w') as archive:
            archive.add(source / name, name)
    out = tmp_path / 'out'
    shards = f'{tmp_path}/x-{{0..2}}.tar'
    restore(shards, out)
    assert results(out) == {name: plain[name] for name in (
        'p0.png', 'p1.png', 'sub/p0.png')}
    monkeypatch.setattr(sources, 'members', None)  # nothing is listed again
    (out / 'p1.png').unlink()
    assert restore(shards, out).before == 2
    assert len(results(out)) == 3


@pytest.mark.slow
def test_two_processes(source, plain, tmp_path):
    summary = restore_all(job_of(source, tmp_path / 'out'), 'local', 2)
    assert summary.done == 5 and results(tmp_path / 'out') == plain


def test_one_photo_by_its_path(source, plain, tmp_path):
    restore(source / 'p3.jpg', tmp_path / 'out')
    assert results(tmp_path / 'out') == {'p3.png': plain['p3.png']}


# ------------------------------------------------------------ photos that fail


def test_failures(source, tmp_path, capsys):
    """Damaged photos do not stop the others, and are tried again."""
    (source / 'bad.png').write_bytes(b'\x89PNG no')
    (source / 'clip.mp4').write_bytes(b'')
    out = tmp_path / 'out'
    command = ('restore', source, '--task', MODEL, '--steps', STEPS, '--out',
               out, '--engine', 'local')
    assert run_tool(*command) == 1
    text = capsys.readouterr().err
    assert '1 of 6 photos could not be restored:\n' in text
    assert f"'{source}/bad.png' is not a readable image" in text
    assert '.irsde/manifest.sqlite' in text
    assert "skipped 1 clip(s), such as 'clip.mp4'" in text
    assert 'Traceback' not in text
    assert states(out) == {**{f'p{i}.jpg': DONE for i in range(4)},
                           'sub/p0.png': DONE, 'bad.png': FAILED}
    draw(source / 'bad.png', 3)
    assert run_tool(*command) == 0
    assert 'bad.png' in results(out)


def test_all_fail(tmp_path, error):
    (tmp_path / 'in').mkdir()
    (tmp_path / 'in' / 'a.png').write_bytes(b'x')
    assert 'none of the photos could be restored: ' in error(
        'restore', tmp_path / 'in', '--task', MODEL, '--out', tmp_path / 'out',
        '--engine', 'local')


@pytest.fixture
def tools(source, tmp_path, one_load, monkeypatch):
    """A worker without pauses, and its items."""
    monkeypatch.setattr(worker_module, 'wait', lambda tries: None)
    worker = Worker(job_of(source, tmp_path / 'out', retries=2))
    return worker, [Item(f'p{i}.jpg') for i in range(4)]


def failing(monkeypatch, place: tuple, errors: list, call) -> None:
    """Let the first calls of a function (object, name) fail."""
    def fail(*args, **kwargs):
        if errors:
            raise errors.pop(0)
        return call(*args, **kwargs)

    monkeypatch.setattr(*place, fail)


def test_a_photo_that_vanished(tools):
    worker, items = tools
    found = {o.name: o for o in worker.restore([*items, Item('gone.jpg')])}
    assert found['gone.jpg'].status == FAILED
    assert 'does not exist' in found['gone.jpg'].reason
    assert found['gone.jpg'].attempts == 1
    assert all(found[item.name].status == DONE for item in items)
    done = found['p0.jpg']
    assert done.file == 'p0.png' and done.seconds > 0
    assert done.size == (Path(worker.target.address) / 'p0.png').stat().st_size


def test_reading_is_tried_again(tools, monkeypatch):
    worker, items = tools
    failing(monkeypatch, (worker_module, 'read_item'),
            [TimeoutError('slow')] * 2, worker_module.read_item)
    found, = worker.restore(items[:1])
    assert (found.status, found.attempts) == (DONE, 3)
    failing(monkeypatch, (worker_module, 'read_item'),
            [TimeoutError('too slow')] * 3, worker_module.read_item)
    found, = worker.restore(items[1:2])
    assert (found.status, found.attempts) == (FAILED, 3)
    assert 'p1.jpg' in found.reason and 'too slow' in found.reason


def test_writing_is_tried_again(tools, monkeypatch):
    worker, items = tools
    failing(monkeypatch, (worker.target, 'create'),
            [ConnectionError('cut')], worker.target.create)
    found, = worker.restore(items[:1])
    assert (found.status, found.attempts) == (DONE, 2)


def test_written_by_a_lost_try(tools):
    """The photo is done if the content is the same, otherwise not."""
    worker, items = tools
    worker.restore(items[:1])
    assert worker.restore(items[:1])[0].status == DONE
    other = Path(worker.target.address) / 'p1.png'
    other.write_bytes(b'of the user')
    found, = worker.restore(items[1:2])
    assert found.status == FAILED and 'already exists' in found.reason
    assert other.read_bytes() == b'of the user'


def test_a_photo_on_which_the_network_fails(tools, monkeypatch):
    """It is found in its batch."""
    worker, items = tools
    call = worker_module.restore_batch

    def fail(pipeline, photos, **options):
        if any('p2' in photo.name for photo in photos):
            raise RuntimeError('shape')
        return call(pipeline, photos, **options)

    monkeypatch.setattr(worker_module, 'restore_batch', fail)
    found = {o.name: o for o in worker.restore(items)}
    assert [found[f'p{i}.jpg'].status for i in range(4)] == [
        DONE, DONE, FAILED, DONE]
    assert 'RuntimeError: shape' in found['p2.jpg'].reason


@pytest.mark.parametrize('failure', [
    OSError(errno.ENOSPC, 'No space left on device'),
    PermissionError(13, 'Permission denied')])
def test_full_target(failure, tools, monkeypatch):
    """The job stops; the other photos have not failed."""
    worker, items = tools
    failing(monkeypatch, (worker.target, 'create'), [failure] * 3,
            worker.target.create)
    with pytest.raises(OutputError, match=failure.strerror):
        worker.restore(items)


# ------------------------------------------------------------------- engines


@pytest.mark.slow
def test_a_photo_that_ends_processes(monkeypatch, tmp_path):
    """Its process is replaced, and the photos beside it are done."""
    monkeypatch.setattr(local, 'serve', serve_stub)
    (tmp_path / 'in').mkdir()
    job = Job(str(tmp_path / 'in'), str(tmp_path / 'out'), MODEL, retries=1)
    items = [Item(f'p{i}.jpg') for i in range(20)]
    found = list(local.run(job, items, 2))
    assert sorted(o.name for o in found) == sorted(i.name for i in items)
    lost, = (o for o in found if o.status == FAILED)
    assert lost.name == 'p9.jpg' and lost.attempts == 2
    assert lost.reason.endswith('has ended with code 9.')


def test_chunks_get_smaller():
    sizes = [len(chunk) for chunk in local.Chunks(range(100), 16, 2)]
    assert sum(sizes) == 100 and sizes[0] == 16 and sizes[-1] == 1
    assert sizes == sorted(sizes, reverse=True)
    assert [len(c) for c in local.Chunks(range(20), 16, 1)] == [16, 4]


def test_workers_have_the_files_of_the_job(source, tmp_path):
    import dataclasses
    job = dataclasses.replace(job_of(source, tmp_path), fingerprint='other')
    with pytest.raises(CheckpointError, match='not those'):
        Worker(job)


# ------------------------------------------------------------------ bad input


def test_another_job_in_the_target(source, tmp_path, error):
    out = tmp_path / 'out'
    restore(source, out)
    command = ('restore', source, '--task', MODEL, '--engine', 'local',
               '--out', out)
    assert 'another job (steps 2 there, None here)' in error(*command)
    assert 'another job (self_ensemble None there, 2 here)' in error(
        *command, '--steps', STEPS, '--self-ensemble', 2)
    assert 'another model' in error(
        'restore', source, '--task', 'denoise', '--engine', 'local', '--steps',
        STEPS, '--out', out)


def test_files_in_the_target(source, tmp_path, error, monkeypatch):
    """Refused before the model is loaded; nothing is overwritten."""
    monkeypatch.setattr(worker_module, 'open_pipeline', None)
    out = tmp_path / 'out'
    out.mkdir()
    (out / 'p1.png').write_bytes(b'of the user')
    for _ in range(2):
        assert f"'{out}/p1.png' already exists, but not from this job" in (
            error('restore', source, '--task', MODEL, '--engine', 'local',
                  '--out', out))
    assert (out / 'p1.png').read_bytes() == b'of the user'


REFUSED = {
    'workers': (['--workers', 0], 'at least 1'),
    'retries': (['--retries', -1], 'at least 0'),
    'compare': (['--compare'], '--compare cannot be used with --engine'),
    'samples': (['--samples', 2, '--interval', .9], '--samples, --interval'),
    'video': (['--video'], '--video cannot be used'),
    'interpolate': (['--interpolate', 'a', 'b'], 'to restore, or'),
    'torchrun': (['--engine', 'torchrun'], 'tools/dist_restore.sh'),
    'ranks': (['--engine', 'torchrun', '--workers', 2], 'launcher'),
    'two': ([], 'one folder, address or pattern'),
    'graph': (['--model', 'x.onnx'], 'an exported graph'),
    'mask': (['--data-consistency', '--mask', 'gone.png'], 'gone.png')}


@pytest.mark.parametrize('name', REFUSED)
def test_refused_options(name, source, tmp_path, error, monkeypatch):
    monkeypatch.setattr(worker_module, 'open_pipeline', None)
    options, words = REFUSED[name]
    model = [] if '--model' in options else ['--task', MODEL]
    inputs = [source, 'other'] if name == 'two' else [source]
    assert words in error('restore', *inputs, '--engine', 'local', '--out',
                          tmp_path / 'out', *model, *options)
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('inputs, out, words', [
    ('gone', 'out', "gone' does not exist"), ('.', 'x', 'among the photos'),
    ('empty', 'out', 'contains no images'), ('gone.tar', 'out', 'gone.tar'),
    ('gs://bucket/x', 'out', 'pip install gcsfs'),
    ('unknown://x', 'out', 'Protocol not known'),
    ('empty', 'file/x', 'cannot write to the folder')])
def test_refused_places(inputs, out, words, tmp_path, error, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(worker_module, 'open_pipeline', None)
    monkeypatch.setitem(sys.modules, 'gcsfs', None)
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'file').write_text('')
    assert words in error('restore', inputs, '--task', MODEL, '--out', out,
                          '--engine', 'local')


def test_options_without_an_engine(photo, tmp_path, error):
    assert '--workers requires --engine' in error(
        'restore', photo, '--task', MODEL, '--out', tmp_path, '--workers', 2)


def test_unknown_engine(source, tmp_path):
    with pytest.raises(ConfigError, match="unknown engine 'spark'.*torchrun"):
        restore_all(job_of(source, tmp_path / 'out'), 'spark')


def test_an_option_that_the_model_refuses(source, tmp_path, error):
    """The target is free for the same command with a valid one."""
    command = ('restore', source, '--task', MODEL, '--out', tmp_path / 'out',
               '--engine', 'local', '--steps')
    assert 'use at most 100' in error(*command, 1000)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        assert run_tool(*command, 1) == 0
