"""The installed command irsde, and the extra pictures of restore."""
import configparser
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from conftest import ROOT, run_tool
from irsde_mm import commands
from irsde_mm.model_files import bundled_models
from PIL import Image


def irsde(*args, **options) -> subprocess.CompletedProcess:
    """Run the command in a new process, as its entry point does."""
    return subprocess.run(
        [sys.executable, '-c', 'from irsde_mm.commands import main; main()',
         *map(str, args)], text=True, capture_output=True, **options)


def test_entry_point():
    setup = configparser.ConfigParser()
    setup.read(ROOT / 'setup.cfg')
    assert setup['options.entry_points']['console_scripts'].strip() == (
        'irsde = irsde_mm.commands:main')


def test_help():
    """It names every command and imports no large package."""
    assert {'restore', 'train', 'test'} <= set(commands.COMMANDS)
    done = subprocess.run(
        [sys.executable, '-X', 'importtime', '-c',
         'from irsde_mm.commands import main; main()', '--help'], text=True,
        capture_output=True)
    assert done.returncode == 0
    for name in commands.COMMANDS:
        assert f'  {name}' in done.stdout
        assert commands.load(name).__doc__.splitlines()[0] in done.stdout
    assert 'argparse' in done.stderr
    for heavy in ('torch', 'mmengine', 'numpy', 'PIL', 'gradio'):
        assert f' {heavy}\n' not in done.stderr


@pytest.mark.parametrize('name', commands.COMMANDS)
def test_parsers(name, monkeypatch, capsys):
    module = commands.load(name)
    assert callable(module.main) and module.parser().format_help()
    monkeypatch.setattr('sys.argv', ['irsde', name, '--no-such-option'])
    with pytest.raises(SystemExit) as end:
        commands.main()
    assert end.value.code == 2
    assert f'usage: irsde {name} ' in capsys.readouterr().err


@pytest.mark.parametrize('args', [[], ['fly']])
def test_unknown_commands(args, monkeypatch, capsys):
    monkeypatch.setattr('sys.argv', ['irsde', *args])
    with pytest.raises(SystemExit) as end:
        commands.main()
    assert end.value.code == 2
    assert 'usage: irsde ' in capsys.readouterr().err


@pytest.mark.slow
def test_command_outside_of_the_checkout(trained, photo, tmp_path):
    done = irsde('restore', photo.name, '--model', trained, '--out', 'out',
                 cwd=photo.parent)
    assert done.returncode == 0, done.stderr
    assert 'out/my photo.png' in done.stdout
    assert (photo.parent / 'out' / 'my photo.png').is_file()
    done = irsde('train', 'quickstart/nothing', cwd=tmp_path)
    assert done.returncode == 2
    assert 'error: no config' in done.stderr


# ---------------------------------------------------------------- restore


def test_tasks_are_bundled_models(photo, tmp_path, error):
    message = error('restore', photo, '--task', 'nothing', '--out', tmp_path)
    assert "'nothing'" in message
    assert all(name in message for name in bundled_models())
    name = next(iter(bundled_models()))
    assert run_tool('restore', photo, '--task', name, '--steps', 1, '--out',
                    tmp_path / 'out') == 0
    assert run_tool('restore', photo, '--task', name, '--model', 'x',
                    '--out', tmp_path) == 2


def test_results_are_in_restored_by_default(trained, photo, tmp_path,
                                            monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_tool('restore', photo, '--model', trained) == 0
    assert [path.name for path in (tmp_path / 'restored').iterdir()] == [
        'my photo.png']


def test_extra_pictures(trained, photo, tmp_path, capfd):
    out = tmp_path / 'out'
    assert run_tool('restore', photo, '--model', trained, '--out', out,
                    '--samples', 3, '--compare', '--trajectory', '--steps',
                    20) == 0
    names = {f'my photo_{end}' for end in (
        '1.png', '2.png', '3.png', 'compare.png', 'states.png', 'states.gif',
        'spread.png')}
    assert {p.name for p in out.iterdir()} == names
    printed = capfd.readouterr().out
    assert all(name in printed for name in names)
    draws = [np.asarray(Image.open(out / f'my photo_{i}.png'))
             for i in (1, 2, 3)]
    assert not np.array_equal(draws[0], draws[1])
    with Image.open(out / 'my photo_compare.png') as picture:
        pixels = np.asarray(picture)
    for image in (np.asarray(Image.open(photo)), draws[0]):
        assert contains(pixels, image)
    with Image.open(out / 'my photo_states.gif') as animation:
        assert animation.n_frames == 8 and animation.size == (31, 20)
    with Image.open(out / 'my photo_states.png') as strip:
        assert contains(np.asarray(strip), draws[0])


def test_crispness(trained, photo, tmp_path, error):
    """It changes the file; 1 is the default."""
    results = {}
    for s in (None, 0, 0.5, 1):
        out = tmp_path / f'{s}'
        assert run_tool('restore', photo, '--model', trained, '--out', out,
                        *([] if s is None else ['--crispness', s])) == 0
        results[s] = np.asarray(Image.open(out / photo.name)).astype(int)
    assert np.array_equal(results[1], results[None])
    assert not np.array_equal(results[0], results[1])
    ends = np.stack([results[0], results[1]])
    inside = ((ends > 0) & (ends < 255)).all(0)  # not clipped
    assert np.abs(results[0.5] - ends.mean(0))[inside].max() <= 1


def contains(picture: np.ndarray, image: np.ndarray) -> bool:
    """Return True if an image is a part of a picture, pixel for pixel."""
    h, w = image.shape[:2]
    return any(np.array_equal(picture[y:y + h, x:x + w], image)
               for y in range(picture.shape[0] - h + 1)
               for x in range(picture.shape[1] - w + 1))


def test_interpolate(trained, photo, tmp_path, error):
    other = photo.with_name('b.png')
    Image.new('RGB', (31, 20), 'navy').save(other)
    job = ['restore', '--model', trained, '--out', tmp_path / 'out']
    pair = ['--interpolate', photo, other]
    assert run_tool(*job, *pair) == 0
    assert {p.name for p in (tmp_path / 'out').iterdir()} == {
        'my photo_to_b.png', *(f'my photo_to_b_{i}.png'
                               for i in range(1, 8))}
    assert 'not overwritten' in error(*job, *pair)
    small = photo.with_name('small.png')
    Image.new('RGB', (9, 9)).save(small)
    assert '31x20 and 9x9' in error(*job, '--interpolate', photo, small)
    for inputs in ([], [photo, *pair]):
        assert '--interpolate' in error(*job, *inputs)


@pytest.mark.parametrize('args, words', [
    (['--seed', -1], 'seed=-1'), (['--seed', 2**63], 'seed='),
    (['--samples', 0], 'samples=0'), (['--max-pixels', 0], 'max_pixels=0'),
    (['--crispness', -1], 'crispness=-1'), (['--crispness', 'nan'], '=nan'),
    (['--crispness', 0.5, '--steps', 1], 'at least 2 calls')])
def test_refused_options(args, words, trained, photo, tmp_path, error):
    """The message names the Python argument."""
    assert words in error('restore', photo, '--model', trained, '--out',
                          tmp_path / 'out', *args)
    assert not (tmp_path / 'out').exists()


@pytest.fixture
def holes(tmp_path) -> tuple:
    """A photo with white holes, the mask and a kernel."""
    rng = np.random.default_rng(0)
    keep = rng.random((20, 31)) > 0.3
    pixels = np.where(keep[..., None], rng.integers(0, 250, (20, 31, 3)), 255)
    files = [tmp_path / name for name in ('a.png', 'mask.png', 'kernel.txt')]
    Image.fromarray(pixels.astype(np.uint8)).save(files[0])
    Image.fromarray(keep).save(files[1])
    np.savetxt(files[2], np.ones((3, 3)) / 9)
    return files, pixels, keep


def test_data_consistency(holes, tmp_path):
    (photo, mask, kernel), pixels, keep = holes
    for i, options in enumerate([
            ['--task', 'inpaint', '--data-consistency'],
            ['--task', 'derain', '--data-consistency', '--mask', mask],
            ['--task', 'derain', '--data-consistency', 'mask'],
            ['--task', 'deblur', '--data-consistency', '--kernel', kernel,
             '--data-noise', 0.01]]):
        assert run_tool('restore', photo, '--out', tmp_path / f'{i}',
                        *options) == 0
        with Image.open(tmp_path / f'{i}' / 'a.png') as picture:
            same = np.asarray(picture)[keep] == pixels[keep]
        assert same.all() or '--kernel' in options


@pytest.mark.parametrize('options, words', [
    (['--mask', 'mask.png'], '--mask, --kernel and --data-noise require'),
    (['--data-noise', 0.1], 'require --data-consistency'),
    (['--data-consistency', 'blur', '--mask', 'mask.png'], '--mask belongs'),
    (['--data-consistency', '--mask', 'a', '--kernel', 'b'], '--mask belongs'),
    (['--data-consistency'], 'no operator is known for this model'),
    (['--data-consistency', 'blur'], '--kernel'),
    (['--data-consistency', 'downsampling'], 'does not enlarge'),
    (['--data-consistency', '--kernel', 'no.txt'], "'no.txt' cannot be read"),
    (['--data-consistency', '--mask', 'no.png'], 'does not exist'),
    (['--data-consistency', '--data-noise', 2], 'sigma must be')])
def test_data_consistency_errors(options, words, holes, error, tmp_path):
    assert words in error('restore', holes[0][0], '--task', 'derain', '--out',
                          tmp_path / 'out', *options)


def test_output_can_be_cut_off():
    """As in `irsde ... | head -1`: no traceback, at any point of the output,
    and a broken pipe inside a command is not hidden."""
    script = textwrap.dedent('''
        import argparse, sys
        from irsde_mm.commands import cli
        def main(args):
            if sys.argv[1] == 'inside':
                raise BrokenPipeError('the pipe of a helper')
            for _ in range(int(sys.argv[1])):
                print('line')
        cli.run(main, argparse.ArgumentParser(), [])
    ''')
    for lines in ('1', '100000'):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run([sys.executable, '-c', script, lines],
                              stdout=write, stderr=subprocess.PIPE, text=True)
        os.close(write)
        assert (done.returncode, done.stderr) == (1, '')
    done = subprocess.run([sys.executable, '-c', script, 'inside'],
                          capture_output=True, text=True)
    assert done.returncode == 1 and 'the pipe of a helper' in done.stderr
