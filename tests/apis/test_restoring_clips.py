"""Restoring clips: results, interruptions, options and damage."""
import os
import signal
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
from clips import SIZE, frames, make_clip, read, sound_of
from conftest import ROOT, run_tool
from irsde_mm.apis import RestorationInferencer
from irsde_mm.apis.clips import open_clips, restore_clips
from irsde_mm.apis.options import Options
from irsde_mm.errors import ConfigError, OutputError
from irsde_mm.inference.fingerprint import fingerprint
from irsde_mm.io.finding_clips import split_inputs
from irsde_mm.io.parts import Parts
from PIL import Image
from torch import nn


@pytest.fixture(scope='module')
def tool(trained) -> RestorationInferencer:
    return RestorationInferencer(str(trained), device='cpu')


def restored(tool, *inputs, out, noise=None, sequences=False, **options):
    options = Options(out_dir=str(out), show_progress=False,
                      **dict(dict(batch_size=3), **options))
    sources, _ = split_inputs(map(str, inputs), sequences)
    return list(restore_clips(tool.pipeline, open_clips(sources, options),
                              options, noise))


def hidden(folder: Path) -> list:
    return [path.name for path in folder.iterdir()
            if path.name.startswith('.')]


def test_frames_equal_photos(tool, tmp_path):
    """A lossless clip; its frames are restored like photos of one name."""
    path = make_clip(tmp_path / 'clip.mkv', options=['-pix_fmt', 'bgr0'])
    result, = restored(tool, path, out=tmp_path / 'out')
    assert result.error is None and result.files == [result.path]
    images, degraded = read(result.path), read(path)
    assert len(images) == 8 and sound_of(result.path) == sound_of(path)
    for image, frame in zip(images, degraded):
        expected, = tool.pipeline.restore_batch([frame], ['clip.mkv'])
        assert np.abs(image.astype(int) - expected).max() <= 1
    assert hidden(tmp_path / 'out') == []


@pytest.mark.parametrize('noise', ['shared', 'flow', 'frame'])
def test_interrupted_runs_go_on(noise, tool, tmp_path, monkeypatch):
    """The result is that of an uninterrupted run, byte by byte."""
    path = make_clip(tmp_path / 'clip.mkv')
    options = dict(noise=noise, seed=1, steps=2)
    whole, = restored(tool, path, out=tmp_path / 'whole', **options)
    written, write = [], Parts.write

    def stop(self, index, image, metadata):
        if index == 4:
            raise KeyboardInterrupt
        write(self, index, image, metadata)

    monkeypatch.setattr(Parts, 'write', stop)
    out = tmp_path / 'out'
    with pytest.raises(KeyboardInterrupt):
        restored(tool, path, out=out, **options)
    assert hidden(out) == ['.clip.mkv.frames'] and len(list(
        (out / '.clip.mkv.frames').glob('0*.png'))) == 4
    monkeypatch.setattr(Parts, 'write', lambda self, index, *args: (
        written.append(index), write(self, index, *args)))
    result, = restored(tool, path, out=out, **options)
    assert written == [3, 4, 5, 6, 7]  # from the last whole batch
    assert result.path.read_bytes() == whole.path.read_bytes()
    assert hidden(out) == []


def test_other_settings_are_refused(tool, tmp_path, monkeypatch):
    path, out = make_clip(tmp_path / 'clip.mp4'), tmp_path / 'out'
    monkeypatch.setattr('irsde_mm.apis.clips.publish', lambda *_: (
        _ for _ in ()).throw(FileExistsError(17, 'File exists')))
    with pytest.raises(OutputError, match='clip.mp4.*File exists.*kept in'):
        restored(tool, path, out=out, seed=1)
    for options, words in (
            (dict(seed=2), "seed '1', not '2'"),
            (dict(seed=1, noise='flow'), "noise 'shared', not 'flow'"),
            (dict(seed=1, crispness=0.5, steps=3),
             "sampler .*=3.*crispness 'None', not '0.5'")):
        with pytest.raises(OutputError, match=f'{words}.*delete that folder'):
            restored(tool, path, out=out, **options)
    monkeypatch.undo()
    os.utime(path, (1, 1))
    with pytest.raises(OutputError, match='interrupted run with clip'):
        restored(tool, path, out=out, seed=1)
    with Parts(tmp_path / 'other.mp4', {}), pytest.raises(
            OutputError, match='another process'):
        Parts(tmp_path / 'other.mp4', {}).__enter__()


def test_results_are_not_overwritten(tool, tmp_path):
    path, out = make_clip(tmp_path / 'clip.mp4'), tmp_path / 'out'
    out.mkdir()
    (out / 'clip.mp4').write_text('mine')
    with pytest.raises(OutputError, match='not overwritten'):
        restored(tool, path, out=out)
    with pytest.raises(OutputError, match='not overwritten'):
        restored(tool, path, out=tmp_path)
    (tmp_path / 'other').mkdir()
    other = tmp_path / 'other' / 'clip.mp4'
    other.write_bytes(path.read_bytes())
    with pytest.raises(OutputError, match='would be written to'):
        restored(tool, path, other, out=tmp_path / 'new')
    assert (out / 'clip.mp4').read_text() == 'mine' and hidden(out) == []


def test_damaged_clip(tool, tmp_path):
    """The restored part is kept, with its sound; other clips are restored."""
    path = make_clip(tmp_path / 'bad.y4m')
    path.write_bytes(path.read_bytes()[:-20])
    none = tmp_path / 'none.mp4'
    none.touch()
    good = make_clip(tmp_path / 'good.mp4')
    bad, no, fine = restored(tool, path, none, good, out=tmp_path / 'out')
    assert 'frame 8 cannot be used (the file is truncated)' in str(bad.error)
    assert len(read(bad.path)) == 7 and len(read(fine.path)) == 8
    assert no.error and not no.files and fine.error is None


def test_damaged_clip_with_sound(tool, tmp_path):
    """The sound ends with the picture."""
    path = make_clip(tmp_path / 'bad.mkv', frames(12), rate='10',
                     length=1.2)
    whole = len(sound_of(path))
    path.write_bytes(path.read_bytes()[:-len(path.read_bytes()) // 3])
    result, = restored(tool, path, out=tmp_path / 'out')
    number = len(read(result.path))
    assert 0 < number < 12 and f'frame {number + 1}' in str(result.error)
    assert len(sound_of(result.path)) == pytest.approx(
        whole * number / 12, rel=0.3)


def test_memory_is_bounded(tool, tmp_path):
    """Frames are read when they are needed, and forgotten."""
    options = Options(out_dir=str(tmp_path / 'out'), show_progress=False,
                      batch_size=3)
    path = make_clip(tmp_path / 'clip.mkv', frames(24))
    job, = open_clips([path], options)
    read_frames, seen, alive = job.clip.read, [], []

    def tracked():
        for frame in read_frames():
            seen.append(weakref.ref(frame))
            alive.append(sum(ref() is not None for ref in seen))
            yield frame

    job.clip.read = tracked
    result, = restore_clips(tool.pipeline, [job], options)
    assert result.error is None and len(seen) == 24 and max(alive) <= 6


def test_sequence_and_gif(tool, tmp_path):
    folder = tmp_path / 'shot'
    folder.mkdir()
    pictures = [Image.fromarray(image[..., ::-1]) for image in frames(5)]
    for i, picture in enumerate(pictures):
        picture.save(folder / f'{i}.png', dpi=(300, 300))
    pictures[0].save(tmp_path / 'a.gif', save_all=True, duration=[40] * 5,
                     append_images=pictures[1:], loop=0)
    # colors of a GIF that few frames have
    gif, = restored(tool, tmp_path / 'a.gif', out=tmp_path / 'out')
    assert len(read(gif.path)) == 5
    result, = restored(tool, folder, out=tmp_path / 'out', sequences=True,
                       seed=4, noise='flow')
    assert result.path == tmp_path / 'out' / 'shot' and sorted(
        path.name for path in result.path.iterdir()) == [
            f'{i}.png' for i in range(5)]
    expected, = tool.pipeline.restore_batch(frames(5)[:1], seed=4)
    with Image.open(result.path / '0.png') as picture:
        assert np.abs(np.asarray(picture)[..., ::-1].astype(int)
                      - expected).max() <= 1
        assert round(picture.info['dpi'][0]) == 300
    # as photos, each with the noise of its name
    result, = restored(tool, folder, out=tmp_path / 'own', sequences=True,
                       noise='frame')
    expected, = tool.pipeline.restore_batch(frames(5)[1:2],
                                             ['1.png'])
    with Image.open(result.path / '1.png') as picture:
        assert np.abs(np.asarray(picture)[..., ::-1].astype(int)
                      - expected).max() <= 1


def test_progress(tool, tmp_path):
    seen = []
    restored(tool, make_clip(tmp_path / 'clip.mkv'), out=tmp_path / 'out',
             steps=2, callback=seen.append)
    assert [(p.done, p.total, p.step, p.steps) for p in seen[:4]] == [
        (0, 8, 0, 2), (0, 8, 1, 2), (0, 8, 2, 2), (3, 8, 2, 2)]
    assert seen[-1].done == 8 and seen[-1].states()[0].shape == (*SIZE, 3)


def test_lack_of_memory(tool, tmp_path, monkeypatch):
    """The message names the frame, and the frames before it are kept."""
    path, out = make_clip(tmp_path / 'clip.mkv'), tmp_path / 'out'
    restore, calls = tool.pipeline.restore, []

    def full(*args, **kwargs):
        calls.append(1)
        if len(calls) == 2:
            raise MemoryError
        return restore(*args, **kwargs)

    monkeypatch.setattr(tool.pipeline, 'restore', full)
    result, = restored(tool, path, out=out)
    assert 'clip.mkv, frame 4' in str(result.error) and not result.files
    result, = restored(tool, path, out=out)
    assert result.error is None and len(calls) == 4
    monkeypatch.setattr('irsde_mm.inference.image_pipeline.free_memory',
                        lambda device: 0)
    monkeypatch.setattr('irsde_mm.inference.image_pipeline.MAX_WHOLE_PIXELS',
                        0)
    result, = restored(tool, path, out=tmp_path / 'new')
    assert 'megapixels' in str(result.error)
    result, = restored(tool, path, out=tmp_path / 'new', force=True)
    assert result.error is None


@pytest.mark.parametrize('options, words', [
    (dict(samples=2), 'samples applies to photos'),
    (dict(compare=True), 'compare applies to photos'),
    (dict(trajectory=True), 'trajectory applies to photos'),
    (dict(interval=0.9), 'interval applies to photos'),
    (dict(noise='loud'), "noise='loud'"), (dict(batch_size=0), 'batch_size'),
    (dict(seed=-1), 'seed=-1'), (dict(steps=0), 'steps=0')])
def test_refused_options(tool, options, words, tmp_path):
    path = make_clip(tmp_path / 'clip.y4m')
    with pytest.raises(ConfigError, match=words):
        restored(tool, path, out=tmp_path / 'out', **options)


def test_models_without_noise(tmp_path):
    """A regression restores clips, too; it refuses the option noise."""
    from irsde_mm.inference.image_pipeline import ImagePipeline

    class Negative(ImagePipeline):
        device = 'cpu'

        def restore_batch(self, images, names=None, **_):
            return [255 - image for image in images]

        def call_bytes(self, height, width):
            return 0

    class Tool:
        pipeline = Negative()

    path = make_clip(tmp_path / 'clip.mkv', options=['-pix_fmt', 'bgr0'])
    result, = restored(Tool, path, out=tmp_path / 'out')
    assert np.array_equal(read(result.path), [255 - i for i in read(path)])
    with pytest.raises(ConfigError, match='not a diffusion model'):
        restored(Tool, path, out=tmp_path / 'new', noise='shared')
    Tool.pipeline.channels = 1
    result, = restored(Tool, path, out=tmp_path / 'grey')
    assert 'frame 1 cannot be used (it is in color' in str(result.error)
    assert hidden(tmp_path / 'grey') == []
    grey = make_clip(tmp_path / 'grey.mkv', [
        image[..., :1].repeat(3, axis=2) for image in frames()],
        options=['-pix_fmt', 'gray'])
    result, = restored(Tool, grey, out=tmp_path / 'grey')
    assert result.error is None and len(read(result.path)) == 8


def test_fingerprint(tool):
    """It depends on weights and settings, and on nothing else."""
    pipeline = tool.pipeline
    before = fingerprint(pipeline)
    pipeline(frames(1)[0], steps=2)
    assert fingerprint(pipeline) == before
    pipeline.seed, seed = 5, pipeline.seed
    assert fingerprint(pipeline) != before
    pipeline.seed = seed
    weight = next(pipeline.network.parameters())
    weight.data += 1
    assert fingerprint(pipeline) != before
    weight.data -= 1
    pipeline.self_ensemble = 2
    averaged = fingerprint(pipeline)
    assert averaged != before
    pipeline.network.middle[0].window = 64  # of a part
    assert fingerprint(pipeline) != averaged
    layer = nn.Linear(2, 2)
    layer.myself = [layer]  # cycles end
    assert fingerprint(dict(a=layer)) != fingerprint(dict(b=layer))


# ------------------------------------------------------------ command line


def test_command(trained, tmp_path, monkeypatch, capfd, error):
    monkeypatch.chdir(tmp_path)
    make_clip(Path('clip.mp4'))
    make_clip(Path('bad.y4m')).write_bytes(Path('bad.y4m').read_bytes()[:-9])
    Image.fromarray(frames(1)[0]).save('photo.png')
    Path('none.mp4').touch()
    tool = ['restore', '--model', trained, '--device', 'cpu']
    assert run_tool(*tool, 'clip.mp4', 'photo.png', '--out', 'out') == 0
    out, err = capfd.readouterr()
    assert out.split()[-2:] == ['out/clip.mp4', 'out/photo.png']
    assert 'clip.mp4, 1 of 8' in err
    assert run_tool(*tool, 'bad.y4m', 'clip.mp4', 'none.mp4', '--out',
                    'more') == 1
    out, err = capfd.readouterr()
    assert out.split()[-2:] == ['more/bad.y4m', 'more/clip.mp4']
    assert "damaged: 'bad.y4m': frame 8 cannot be used" in err
    assert '2 of 3 photos and clips could not be restored completely' in err
    assert "'none.mp4' is empty" in error(*tool, 'none.mp4', '--out', 'new')
    Path('also.mp4').touch()
    assert '2 problem(s)' in error(*tool, 'none.mp4', 'also.mp4', '--out',
                                   'new')
    assert '--noise applies to clips' in error(
        *tool, 'photo.png', '--noise', 'flow', '--out', 'new')
    assert '--video applies to clips' in error(
        *tool, '--interpolate', 'photo.png', 'photo.png', '--video', '--out',
        'new')
    assert run_tool(*tool, 'photo.png', '--video', '--out', 'new') == 0
    assert list(Path('new').rglob('*.png'))


SLOW = '''
import sys, time
from irsde_mm.io.parts import Parts
write = Parts.write
def slowly(self, *args):
    write(self, *args)
    print('frame', flush=True)
    time.sleep(0.3)
Parts.write = slowly
from irsde_mm.commands import main
main()
'''


@pytest.mark.slow
def test_killed_process(tmp_path):
    """SIGKILL between frames, twice; the result is that of a whole run."""
    path = make_clip(tmp_path / 'clip.mp4')

    def start(out, code=SLOW):
        return subprocess.Popen(
            [sys.executable, '-c', code, 'restore', path, '--task', 'derain',
             '--device', 'cpu', '--batch-size', '2', '--out', out],
            stdout=subprocess.PIPE, text=True, cwd=ROOT,
            stderr=subprocess.DEVNULL)

    for _ in range(2):
        process = start(tmp_path / 'out')
        for _ in range(3):
            assert process.stdout.readline() == 'frame\n'
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert not (tmp_path / 'out' / 'clip.mp4').exists()
    results = []
    for out in ('out', 'whole'):
        process = start(tmp_path / out, SLOW.replace('0.3', '0'))
        text, _ = process.communicate()
        assert process.returncode == 0
        results.append((tmp_path / out / 'clip.mp4').read_bytes())
        assert text.count('frame\n') == (4 if out == 'out' else 8)
        assert hidden(tmp_path / out) == []
    assert results[0] == results[1]
