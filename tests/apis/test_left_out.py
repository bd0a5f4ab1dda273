"""An error in one photo does not stop the others."""
import numpy as np
import pytest
import torch
from conftest import VERSION_1, run_tool
from irsde_mm.apis import RestorationInferencer, inferencer
from irsde_mm.errors import DataError, ImageError
from irsde_mm.inference import RestorationPipeline
from PIL import Image

RNG = np.random.default_rng(0)
MODEL = VERSION_1 / 'denoise.safetensors'  # estimates the noise level
SMOOTH = np.mgrid[40:168:4, 60:124:2][0].astype(float)[..., None] + np.zeros(3)


def noisy(sigma: float) -> np.ndarray:
    return (SMOOTH + RNG.normal(0, sigma, SMOOTH.shape)).round().clip(
        0, 255).astype(np.uint8)


@pytest.fixture(scope='module')
def tool() -> RestorationInferencer:
    return RestorationInferencer(str(MODEL), device='cpu')


@pytest.fixture
def folder(tmp_path):
    """Three photos of equal size, which form one batch."""
    path = tmp_path / 'in'
    path.mkdir()
    for name in 'abc':
        Image.fromarray(noisy(25)).save(path / f'{name}.png')
    return path


def call(tool, inputs, **options) -> list:
    return tool(inputs, sampler='fast', show_progress=False,
                **options)['predictions']


def error_of_second(results, alone) -> ImageError:
    """Return the error of the second of three results, after a check that
    the others equal those without it."""
    a, b, c = results
    for result, expected in zip((a, c), (alone[0], alone[2])):
        assert result.error is None
        assert np.array_equal(result.image, expected.image)
    assert b.image is None and b.path is None and not b.files
    assert isinstance(b.error, ImageError) and 'b.png' in str(b.error)
    return b.error


@pytest.mark.parametrize('bad', [
    noisy(110), np.where(RNG.random((32, 32)) < 0.5, 0, 255).astype('uint8')],
    ids=['noisy', 'one bit'])
def test_noise_above_the_model_range(tool, folder, bad):
    alone = call(tool, folder)
    Image.fromarray(bad).convert('RGB' if bad.ndim == 3 else '1').save(
        folder / 'b.png')
    error = error_of_second(call(tool, folder, samples=2), alone)
    assert 'noise level' in str(error) and 'max_sigma' in str(error)
    with pytest.raises(ImageError, match='b.png.*noise level'):
        call(tool, folder / 'b.png')
    with pytest.raises(DataError, match='2 problem'):
        call(tool, [folder / 'b.png', noisy(110)])


def test_names_of_arrays(tool):
    """A flat image has no noise and is not changed."""
    flat = np.full((2, 3, 3), 77, np.uint8)
    good, bad, none = call(tool, [noisy(25), noisy(110), flat])
    assert good.error is None and np.array_equal(none.image, flat)
    assert str(bad.error).startswith("'image_2': the noise level ")


def test_the_command_line(folder, tmp_path, capfd):
    Image.fromarray(noisy(110)).save(folder / 'b.png')
    out = tmp_path / 'out'
    assert run_tool('restore', folder, '--model', MODEL, '--out', out,
                    '--sampler', 'fast', '--compare') == 1
    assert {path.name for path in out.iterdir()} == {
        f'{name}{end}.png' for name in 'ac' for end in ('', '_compare')}
    err = capfd.readouterr().err
    assert 'Traceback' not in err
    listed = err[err.index('1 of 3 photos could not be'):].splitlines()
    assert len(listed) == 2 and 'b.png' in listed[1]


@pytest.mark.parametrize('error, handled', [
    (torch.OutOfMemoryError('CUDA out of memory.'), True),
    (MemoryError(), True),
    (RuntimeError("DefaultCPUAllocator: can't allocate memory"), True),
    (RuntimeError('a bug'), False)], ids=str)
def test_out_of_memory(tool, folder, monkeypatch, error, handled):
    """A batch may be too large although each of its photos is not."""
    alone, original = call(tool, folder), RestorationPipeline.restore

    def fail(self, inputs, *, names, **options):
        if any('b.png' in path for path in names):
            raise error
        return original(self, inputs, names=names, **options)

    monkeypatch.setattr(RestorationPipeline, 'restore', fail)
    if handled:
        found = error_of_second(call(tool, folder), alone)
        assert 'more memory than is free' in str(found)
    else:
        with pytest.raises(RuntimeError, match='a bug'):
            call(tool, folder)


def test_photo_too_large_for_memory(tool, folder, monkeypatch):
    alone = call(tool, folder)
    module = 'irsde_mm.inference.image_pipeline'
    monkeypatch.setattr(f'{module}.MAX_WHOLE_PIXELS', 32 * 40)
    monkeypatch.setattr(f'{module}.free_memory', lambda _: 10**4)
    Image.fromarray(np.zeros((41, 32, 3), np.uint8)).save(folder / 'b.png')
    error = error_of_second(call(tool, folder), alone)
    assert 'GiB' in str(error) and '--force' in str(error)
    assert all(r.error is None for r in call(tool, folder, force=True))
    with pytest.raises(ImageError, match='GiB'):
        tool.interpolate(folder / 'b.png', folder / 'b.png')


def before_call(monkeypatch, name: str, change) -> None:
    """Change a file before the first call of a function of the module."""
    function, done = getattr(inferencer, name), []

    def changed(*args, **kwargs):
        if not done:
            done.append(change())
        return function(*args, **kwargs)

    monkeypatch.setattr(inferencer, name, changed)


@pytest.mark.parametrize('moment', ['restore_batch', 'draw_result'])
def test_photo_deleted_meanwhile(tool, folder, tmp_path, moment, monkeypatch):
    alone = call(tool, folder)
    before_call(monkeypatch, moment, (folder / 'b.png').unlink)
    results = call(tool, folder, compare=True, out_dir=str(tmp_path / 'out'))
    assert 'does not exist' in str(error_of_second(results, alone))
    assert not list((tmp_path / 'out').glob('b*'))


def test_photo_replaced_meanwhile(tool, folder, monkeypatch):
    """The new one has another size and cannot be in the same batch."""
    alone = call(tool, folder)
    before_call(monkeypatch, 'restore_batch', lambda: Image.fromarray(
        noisy(25)[:9]).save(folder / 'b.png'))
    a, b, c = call(tool, folder)
    assert b.image.shape == (9, 32, 3)
    for result, expected in ((a, alone[0]), (c, alone[2])):
        assert np.array_equal(result.image, expected.image)


def test_progress_with_a_failed_photo(tool, folder):
    Image.fromarray(noisy(110)).save(folder / 'b.png')
    seen = []

    def look(progress):
        assert len(progress.states()) == len(progress.names)
        seen.append((progress.done, progress.names))

    call(tool, folder, callback=look)
    ends = [names for (_, names), (done, _) in zip(seen, [*seen[1:], (3, [])])
            if done > 0]
    assert seen[-1][0] == 3
    assert [] in ends, 'the end of the failed photo'


def test_too_long_names(tool, tmp_path, error):
    path = tmp_path / f'{"x" * 245}.png'
    Image.fromarray(noisy(25)).save(path)
    message = error('restore', path, '--model', MODEL, '--out',
                    tmp_path / 'out', '--compare')
    assert 'would be too long' in message
