"""Restoring with exported graphs: files, options, errors; no torch."""
import re
import subprocess
import sys
import types

import numpy as np
import pytest
from conftest import ROOT
from irsde_mm import commands
from irsde_mm.commands import restore as restore_command
from irsde_mm.commands.restore_graph import FREE
from irsde_mm.errors import (CheckpointError, ConfigError, DataError,
                             ImageError)
from irsde_mm.graphs import inferencer
from irsde_mm.graphs.inferencer import GraphInferencer, check_memory
from irsde_mm.graphs.runner import open_graph, seed_of
from irsde_mm.inference.noise import image_generators
from models import spec_of, write_identity
from PIL import Image

PIXELS = np.random.default_rng(0).integers(60, 190, (9, 14, 3),
                                           dtype=np.uint8)


@pytest.fixture
def model(tmp_path):
    return write_identity(tmp_path / 'identity.onnx', spec_of())


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / 'photos'
    folder.mkdir()
    for name, pixels in (('a', PIXELS), ('b', PIXELS[:, ::-1])):
        Image.fromarray(pixels).save(folder / f'{name}.png')
    return folder


def irsde(*args) -> int:
    """Run the command in this process and return its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('sys.argv', ['irsde', *map(str, args)])
        try:
            commands.main()
        except SystemExit as end:
            return end.code
    return 0


def pixels_of(path) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(int)


# ------------------------------------------------------------------ photos


def test_folder(model, photos, tmp_path, capfd):
    out = tmp_path / 'out'
    assert irsde('restore', photos, '--model', model, '--out', out) == 0
    assert capfd.readouterr().out.split() == [str(out / 'a.png'),
                                              str(out / 'b.png')]
    noise = np.random.default_rng(seed_of('a.png', 0)).standard_normal(
        (1, 1, 3, 9, 14), np.float32)[0, 0].transpose(1, 2, 0)[..., ::-1]
    # channels are RGB in the graph and BGR in the runner
    wanted = PIXELS + 25.5 * noise[..., ::-1]
    assert abs(pixels_of(out / 'a.png') - wanted).max() < 0.51
    assert irsde('restore', photos, '--model', model, '--out', out) == 2
    assert 'already exists' in capfd.readouterr().err


def test_seed_and_samples(model, photos, tmp_path):
    """Draw i is the first result of the seed + i."""
    for i in range(2):
        assert irsde('restore', photos / 'a.png', '--model', model, '--out',
                     tmp_path / str(i), '--seed', 5 + i) == 0
    assert irsde('restore', photos / 'a.png', '--model', model, '--out',
                 tmp_path / 'both', '--seed', 5, '--samples', 2,
                 '--compare') == 0
    for i in range(2):
        assert np.array_equal(pixels_of(tmp_path / str(i) / 'a.png'),
                              pixels_of(tmp_path / f'both/a_{i + 1}.png'))
    assert {path.name for path in (tmp_path / 'both').iterdir()} == {
        'a_1.png', 'a_2.png', 'a_spread.png', 'a_compare.png'}
    assert (pixels_of(tmp_path / '0/a.png')
            != pixels_of(tmp_path / '1/a.png')).any()


def test_arrays_and_pictures_without_names(model):
    """They share the noise of an empty name, as in other models."""
    image = np.full((5, 6, 3), 128, np.uint8)
    first, second = GraphInferencer(str(model)).stream(
        [image, Image.fromarray(image)])
    assert np.array_equal(first.image, second.image)
    runner = open_graph(str(model))
    assert np.array_equal(first.image, runner.restore(image))


def test_seeds_by_name_are_those_of_pipelines():
    for name in ('a.png', 'photos/a.png', '\udcff.png'):
        generator, = image_generators([name], 3, 'cpu')
        assert generator.initial_seed() == seed_of(name, 3)


def test_gray_photos(tmp_path):
    model = write_identity(tmp_path / 'gray.onnx', spec_of(
        channels=1, draws=0))
    Image.fromarray(PIXELS[..., 0]).save(tmp_path / 'gray.png')
    Image.fromarray(PIXELS).save(tmp_path / 'color.png')
    restore = GraphInferencer(str(model))
    result, = restore.stream(str(tmp_path / 'gray.png'))
    assert np.array_equal(result.image, PIXELS[..., :1])
    with pytest.raises(ImageError, match='color'):
        list(restore.stream(str(tmp_path / 'color.png')))


def test_fixed_size(tmp_path, photos, capfd):
    """Other photos are skipped, and named."""
    model = write_identity(tmp_path / 'fixed.onnx', spec_of(
        height=9, width=14, draws=0))
    Image.fromarray(PIXELS[:4]).save(photos / 'c.png')
    out = tmp_path / 'out'
    assert irsde('restore', photos, '--model', model, '--out', out) == 1
    error = capfd.readouterr().err
    assert '14 x 4 pixels, but the graph was exported for 14 x 9' in error
    assert 'c.png' in error and 'a.png' not in error
    assert {path.name for path in out.iterdir()} == {'a.png', 'b.png'}
    with pytest.raises(ImageError, match='exported for 14 x 9'):
        list(GraphInferencer(str(model)).stream(str(photos / 'c.png')))


def test_memory_check(monkeypatch):
    monkeypatch.setattr(inferencer, 'free_host_memory', lambda: 2**30)
    spec = spec_of(bytes_per_pixel=1000.)
    check_memory(spec, 1000, 1000)
    with pytest.raises(ImageError, match='2.0 megapixels.*--force'):
        check_memory(spec, 1000, 2000)
    with pytest.raises(ImageError, match='16.0 megapixels'):
        check_memory(spec_of(scale=4), 1000, 1000)


def test_force_skips_the_memory_check(model, monkeypatch):
    monkeypatch.setattr(inferencer, 'SMALL', 10)
    monkeypatch.setattr(inferencer, 'free_host_memory', lambda: 0)
    restore = GraphInferencer(str(model))
    with pytest.raises(ImageError, match='--force'):
        list(restore.stream(PIXELS))
    result, = restore.stream(PIXELS, force=True)
    assert result.image.shape == PIXELS.shape


def test_out_of_memory(model, monkeypatch):
    def fail(*_):
        raise RuntimeError('Failed to allocate memory for requested buffer')

    restore = GraphInferencer(str(model))
    monkeypatch.setattr(restore.graph, 'session',
                        types.SimpleNamespace(run=fail))
    with pytest.raises(ImageError, match='needs more memory'):
        list(restore.stream(PIXELS))


# ----------------------------------------------------------------- options


@pytest.mark.parametrize('option, value', [
    ('seed', -1), ('seed', 2**63), ('seed', 1.5), ('samples', 0),
    ('max_pixels', 0), ('white', 3)])
def test_invalid_options(model, option, value):
    with pytest.raises(ConfigError, match=option):
        list(GraphInferencer(str(model)).stream(PIXELS, **{option: value}))
    with pytest.raises(DataError):
        list(GraphInferencer(str(model)).stream([]))


REFUSED = [
    ('--steps', 3), ('--sampler', 'fast'), ('--crispness', 0.5),
    ('--interval', 0.9), ('--data-consistency', 'mask'), ('--tile', 128),
    ('--tile', 'auto'), ('--self-ensemble', 2), ('--checkpoint', 'x.pth'),
    ('--device', 'cpu'), ('--batch-size', 2), ('--trajectory', None),
    ('--video', None), ('--noise', 'flow')]


@pytest.mark.parametrize('option, value', REFUSED)
def test_refused_options(model, photos, tmp_path, capfd, option, value):
    """In one line, before anything is written."""
    given = [option] if value is None else [option, value]
    assert irsde('restore', photos, '--model', model, '--out',
                 tmp_path / 'out', *given) == 2
    error = capfd.readouterr().err
    assert error.startswith(f'error: {option} cannot be used with')
    assert error.count('\n') == 1
    assert not (tmp_path / 'out').exists()


def test_every_other_option_is_free():
    """A new option of restore is either refused or listed as free."""
    names = {action.dest for action in restore_command.parser()._actions}
    refused = {option[2:].replace('-', '_') for option, _ in REFUSED}
    assert names - refused - set(FREE) == {
        # these require another option, and --task excludes --model
        'help', 'task', 'interpolate', 'mask', 'kernel', 'data_noise',
        # refuses graphs; the others require it
        'engine', 'workers', 'retries'}


def test_engines_refuse_graphs(model, photos, tmp_path, capfd):
    assert irsde('restore', photos, '--model', model, '--engine', 'local',
                 '--out', tmp_path / 'out') == 2
    assert 'restore without --engine' in capfd.readouterr().err
    assert not (tmp_path / 'out').exists()


def test_clips_are_refused(model, tmp_path, capfd):
    (tmp_path / 'clip.mp4').write_bytes(b'')
    assert irsde('restore', tmp_path / 'clip.mp4', '--model', model, '--out',
                 tmp_path / 'out') == 2
    assert 'photos only, not clips' in capfd.readouterr().err
    assert not (tmp_path / 'out').exists()


def test_interpolation_is_refused(model, photos, tmp_path, capfd):
    assert irsde('restore', '--interpolate', photos / 'a.png',
                 photos / 'b.png', '--model', model, '--out',
                 tmp_path / 'out') == 2
    assert '--interpolate cannot be used' in capfd.readouterr().err


# ------------------------------------------------------------------- files


@pytest.mark.parametrize('changes, words', [
    (dict(format='irsde_mm'), 'not written by irsde export'),
    (dict(format_version='9'), 'export the model again'),
    (dict(graph='{'), 'metadata .* cannot be read'),
    (dict(graph='[]'), 'it needs'), (dict(graph='{"channels": 3}'), 'needs'),
    (dict(graph='x' * 2**21), 'longer than')])
def test_metadata_are_checked(tmp_path, changes, words):
    model = write_identity(tmp_path / 'm.onnx', spec_of(), **changes)
    with pytest.raises(CheckpointError, match=words):
        open_graph(str(model))


@pytest.mark.parametrize('changes', [
    dict(channels=2), dict(channels=True), dict(scale=0), dict(draws=-1),
    dict(draws=10**6), dict(seed=2**63), dict(height=4), dict(calls='1'),
    dict(height=0, width=3), dict(bytes_per_pixel='many'),
    dict(bytes_per_pixel=-1)])
def test_descriptions_are_checked(tmp_path, changes):
    model = write_identity(tmp_path / 'm.onnx', spec_of(**changes))
    with pytest.raises(CheckpointError, match='metadata'):
        open_graph(str(model))


def test_other_files_are_refused(tmp_path, photos, capfd):
    """In one line: a foreign ONNX file, no ONNX file, a missing one."""
    write_identity(tmp_path / 'foreign.onnx')
    (tmp_path / 'broken.onnx').write_bytes(b'no model')
    (tmp_path / 'broken.pt2').write_bytes(b'no model')
    for name, words in (('foreign.onnx', 'not written by irsde export'),
                        ('broken.onnx', 'not an ONNX model'),
                        ('broken.pt2', 'not a .pt2 file'),
                        ('none.onnx', 'no model found'),
                        ('none.pt2', 'no model found')):
        assert irsde('restore', photos, '--model', tmp_path / name, '--out',
                     tmp_path / 'out') == 2
        error = capfd.readouterr().err
        assert words in error and error.count('\n') == 1
    assert not (tmp_path / 'out').exists()


def test_inputs_must_fit_the_description(tmp_path):
    model = write_identity(tmp_path / 'm.onnx', spec_of())
    other = write_identity(
        tmp_path / 'n.onnx', spec_of(draws=0), graph=spec_of().metadata()[
            'graph'])
    assert open_graph(str(model)).spec.draws == 1
    with pytest.raises(CheckpointError, match='has the inputs image,'):
        open_graph(str(other))


def test_missing_extra(model, monkeypatch):
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    with pytest.raises(ConfigError, match=r"irsde-mm\[onnx\]'"):
        open_graph(str(model))


# ---------------------------------------------------------------- no torch


def test_torch_is_not_imported(model, photos, tmp_path):
    """Neither are other packages that restoring with a graph can do
    without."""
    code = ('import sys\nfrom irsde_mm.commands import main\nmain()\n'
            'print(*sorted({name.partition(".")[0] for name in sys.modules}))')
    done = subprocess.run(
        [sys.executable, '-c', code, 'restore', str(photos), '--model',
         str(model), '--out', str(tmp_path / 'out'), '--compare'],
        text=True, capture_output=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert {'onnxruntime', 'numpy', 'irsde_mm'} <= loaded
    assert not {'torch', 'safetensors', 'onnx', 'mmengine'} & loaded
    assert len(list((tmp_path / 'out').iterdir())) == 4


def test_example(model, tmp_path):
    """examples/run_onnx.py: 20 lines, and the result of the runner."""
    script = ROOT / 'examples' / 'run_onnx.py'
    assert len(script.read_text().splitlines()) <= 22  # 2 of a docstring
    np.save(tmp_path / 'in.npy', PIXELS)
    seen = subprocess.run(
        [sys.executable, '-X', 'importtime', str(script), str(model),
         str(tmp_path / 'in.npy'), str(tmp_path / 'out.npy'), '7'],
        text=True, capture_output=True, check=True).stderr
    assert not re.search(r' (torch|irsde_mm)$', seen, re.M)
    wanted = open_graph(str(model)).restore(
        np.ascontiguousarray(PIXELS[..., ::-1]), seed=7)
    assert np.array_equal(np.load(tmp_path / 'out.npy'), wanted[..., ::-1])
