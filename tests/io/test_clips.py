"""Reading and writing clips, without a model."""
import sys
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import (ENCODERS, SIZE, SOUND, frames, make_clip, read, run_ffmpeg,
                   sound_of)
from irsde_mm.errors import ConfigError, DataError, ImageError, OutputError
from irsde_mm.io import ffmpeg
from irsde_mm.io.clips import ClipError
from irsde_mm.io.finding_clips import open_clip, split_inputs
from irsde_mm.io.video import VideoClip, color_tags
from PIL import Image


def copied(clip, folder: Path) -> Path:
    """Read a clip and write its frames unchanged, as files."""
    files = []
    folder.mkdir()
    try:
        for i, image in enumerate(clip.read()):
            files.append(folder / f'{i}.png')
            cv2.imwrite(str(files[-1]), image)
    except ClipError:
        pass
    path = folder / clip.target
    clip.write(files, path)
    return path


def error_of(images, others) -> float:
    assert len(images) == len(others)
    return np.mean([np.abs(a.astype(float) - b).mean()
                    for a, b in zip(images, others)])


@pytest.mark.parametrize('kind', ENCODERS)
def test_copies(kind, tmp_path):
    """Codec, rate, times, colors and sound are kept."""
    path = make_clip(tmp_path / f'clip{kind}')
    clip = open_clip(path)
    assert clip.size == SIZE and clip.length == 8 and not clip.warnings
    assert clip.look.rate == Fraction(30000, 1001)
    assert error_of(list(clip.read()), frames()) < 6
    other = open_clip(copied(clip, tmp_path / 'out'))
    assert other.files[0].name == path.name
    assert (other.look.codec, other.look.rate, other.look.pixel_format) == (
        clip.look.codec, clip.look.rate, clip.look.pixel_format)
    assert other.ticks == clip.ticks
    assert error_of(list(other.read()), list(clip.read())) < 3
    if kind in SOUND:
        assert sound_of(other.path) == sound_of(path) != b''


def test_times_of_their_own(tmp_path):
    """A variable frame rate and a late start are kept to the tick."""
    path = make_clip(tmp_path / 'clip.mp4', options=[
        '-vf', 'setpts=1001*N*N+15000', '-fps_mode', 'passthrough',
        '-enc_time_base', '1/30000'])
    clip = open_clip(path)
    assert not clip.constant and len(set(np.diff(clip.ticks))) > 3
    other = open_clip(copied(clip, tmp_path / 'out'))
    assert [tick * other.look.time_base for tick in other.ticks] == [
        tick * clip.look.time_base for tick in clip.ticks]


def test_rotation_and_aspect(tmp_path):
    """The result is upright; its pixels keep their aspect ratio."""
    flat = make_clip(tmp_path / 'flat.mp4', options=['-vf', 'setsar=4/3'])
    path = tmp_path / 'turned.mp4'
    run_ffmpeg('-display_rotation', '90', '-i', flat, '-c', 'copy', path)
    clip = open_clip(path)
    assert clip.size == SIZE[::-1] and clip.look.aspect == Fraction(3, 4)
    turned = [np.rot90(image) for image in read(flat)]
    assert error_of(list(clip.read()), turned) < 0.1
    other = open_clip(copied(clip, tmp_path / 'out'))
    assert other.size == clip.size and other.look.aspect == Fraction(3, 4)
    assert error_of(list(other.read()), turned) < 3


@pytest.mark.parametrize('tag', ['bt709', 'smpte170m'])
def test_colors(tag, tmp_path):
    path = make_clip(tmp_path / 'clip.mkv', options=[
        '-vf', f'scale=out_color_matrix={tag}:out_range=tv', '-colorspace',
        tag, '-color_primaries', tag, '-color_trc', tag, '-color_range',
        'tv'])
    clip = open_clip(path)
    assert set(clip.look.colors.values()) == {tag, 'tv'}
    assert error_of(list(clip.read()), frames()) < 4
    other = open_clip(copied(clip, tmp_path / 'out'))
    assert other.look.colors == clip.look.colors
    assert error_of(list(other.read()), list(clip.read())) < 1


def test_color_tags():
    assert color_tags('pc, gbr/bt709/unknown, progressive') == dict(
        color_range='pc', colorspace='gbr', color_primaries='bt709')
    assert color_tags('progressive') == {}


def test_odd_size_and_other_codecs(tmp_path):
    """A codec that ffmpeg cannot write is replaced with a warning."""
    odd = frames(size=(31, 41))
    run_ffmpeg('-f', 'rawvideo', '-pix_fmt', 'bgr24', '-s', '41x31', '-i', '-',
               '-c:v', 'zmbv', tmp_path / 'clip.mkv',
               data=b''.join(image.tobytes() for image in odd))
    clip = open_clip(tmp_path / 'clip.mkv')
    assert clip.warnings == [
        'is written as h264, because zmbv cannot be written.']
    other = open_clip(copied(clip, tmp_path / 'out'))
    assert other.look.codec == 'h264' and other.size == (31, 41)
    assert error_of(list(other.read()), odd) < 5


def test_left_out_streams(tmp_path):
    path = make_clip(tmp_path / 'a.mkv')
    two = tmp_path / 'two.mkv'
    run_ffmpeg('-i', path, '-i', path, '-map', '0', '-map', '1:v', '-c',
               'copy', two)
    assert open_clip(two).warnings == [
        'leaves out these streams: Video (ffv1).']


@pytest.mark.parametrize('kind', ['.mkv', '.webm', '.avi', '.y4m'])
def test_truncated(kind, tmp_path):
    """The frames before the end are kept, with their number."""
    path = make_clip(tmp_path / f'clip{kind}', sound=False)
    data = path.read_bytes()
    start = max(data.find(b'movi'), 0)  # of the frames in AVI
    path.write_bytes(data[:start + (len(data) - start) * 3 // 4])
    clip = open_clip(path)
    assert 0 < clip.length < 8
    with pytest.raises(ClipError, match=f'frame {clip.length + 1} cannot be '
                       'used') as caught:
        list(clip.read())
    assert caught.value.frames == clip.length
    assert len(read(copied(clip, tmp_path / 'out'))) == clip.length


@pytest.mark.parametrize('frame', [0, 4, 7])
def test_damaged_frame(frame, tmp_path):
    """FFV1 has checksums, so every damage is found."""
    path = make_clip(tmp_path / 'clip.mkv', sound=False)
    before, sizes = VideoClip(path), [p.size for p in ffmpeg.packets(path)]
    data = bytearray(path.read_bytes())
    # after the last frame, the file has only an index of 100 to 200 bytes
    place = len(data) - 250 - sum(sizes[frame + 1:]) - 8 * (7 - frame)
    data[place:place + 20] = bytes(range(20))
    path.write_bytes(data)
    clip = open_clip(path)
    assert before.length == 8 and clip.length == frame
    with pytest.raises(ClipError, match='CRC mismatch') as caught:
        list(clip.read())
    assert caught.value.frames == frame


@pytest.mark.parametrize('name, options, words', [
    ('a.mkv', ['-vf', 'format=yuva420p', '-pix_fmt', 'yuva420p'],
     'transparent'),
    ('a.mkv', ['-vf', 'interlace', '-field_order', 'tt'], 'interlaced'),
    ('a.mkv', ['-color_trc', 'smpte2084', '-vf',
               'setparams=color_trc=smpte2084'], 'high dynamic range')])
def test_refused_videos(name, options, words, tmp_path):
    path = make_clip(tmp_path / name, options=options)
    with pytest.raises(ImageError, match=words):
        open_clip(path)


def test_unusable_files(tmp_path):
    clip = make_clip(tmp_path / 'clip.mp4')
    run_ffmpeg('-i', clip, '-vn', '-c', 'copy', tmp_path / 'sound.mp4')
    (tmp_path / 'empty.mp4').touch()
    (tmp_path / 'text.mkv').write_text('hello')
    # a playlist would open other files
    (tmp_path / 'list.mp4').write_text(f'#EXTM3U\n#EXTINF:1,\n{clip}\n')
    (tmp_path / 'folder.mp4').mkdir()
    (tmp_path / 'text.gif').write_text('hello')
    for name, words in dict(
            sound='no video', empty='empty', text='not a readable video',
            list='not a readable video', folder='folder').items():
        path = next(tmp_path.glob(f'{name}.m*'))
        with pytest.raises(ImageError, match=f'{path.name}.* {words}'):
            open_clip(path)
    with pytest.raises(ImageError, match='text.gif.* not a readable GIF'):
        open_clip(tmp_path / 'text.gif')
    with pytest.raises(ImageError, match='missing.mp4.*No such file'):
        open_clip(tmp_path / 'missing.mp4')
    with pytest.raises(ImageError, match='more than 100 pixels'):
        open_clip(clip, 100)
    with pytest.raises(DataError, match='omit the white level'):
        open_clip(clip, white=4095)


def test_missing_package(tmp_path, monkeypatch):
    path = make_clip(tmp_path / 'clip.mp4')
    monkeypatch.setitem(sys.modules, 'imageio_ffmpeg', None)
    with pytest.raises(ConfigError, match=r"pip install 'irsde-mm\[video\]'"):
        open_clip(path)


def test_encoder_errors(tmp_path):
    """The reason is that of ffmpeg."""
    clip = open_clip(make_clip(tmp_path / 'clip.mp4'))
    cv2.imwrite(str(tmp_path / '0.png'), frames()[0])
    with pytest.raises(OutputError, match='No such file or directory'):
        clip.write([tmp_path / '0.png'], tmp_path / 'missing' / 'x.mp4')


# ------------------------------------------------------------------- GIF


def make_gif(path: Path, images=None, durations=(40, 200, 100), **options):
    pictures = [Image.fromarray(image[..., ::-1])
                for image in images or frames(3)]
    pictures[0].save(path, save_all=True, append_images=pictures[1:],
                     duration=list(durations), **options)
    return path


@pytest.mark.parametrize('loop', [None, 0, 5])
def test_gif(loop, tmp_path):
    """Durations and repetitions are kept, and equal frames are not merged."""
    path = make_gif(tmp_path / 'a.gif', **(
        {} if loop is None else dict(loop=loop)))
    clip = open_clip(path)
    images = list(clip.read())
    assert clip.durations == [40, 200, 100] and clip.repeats == loop
    assert error_of(images, frames(3)) < 5
    files = [tmp_path / f'{i}.png' for i in range(3)]
    for file, image in zip(files, [images[0], images[0], images[2]]):
        cv2.imwrite(str(file), image)
    clip.write(files, tmp_path / 'b.gif')
    other = open_clip(tmp_path / 'b.gif')
    assert error_of(list(other.read()),
                    [images[0], images[0], images[2]]) < 3
    assert other.durations == clip.durations and other.repeats == loop


def test_refused_gifs(tmp_path):
    path = make_gif(tmp_path / 'a.gif')
    data = path.read_bytes()
    (tmp_path / 'b.gif').write_bytes(data[:len(data) // 2])
    clip = open_clip(tmp_path / 'b.gif')
    with pytest.raises(ClipError, match=r'b.gif.*frame \d cannot be used'):
        list(clip.read())
    hole = Image.new('RGBA', (9, 9))
    hole.save(tmp_path / 'c.gif', save_all=True, append_images=[
        Image.new('RGBA', (9, 9), (255, 0, 0, 255))], disposal=2)
    with pytest.raises(ClipError, match='frame 1 .*transparent') as caught:
        list(open_clip(tmp_path / 'c.gif').read())
    assert caught.value.frames == 0
    with pytest.raises(ImageError, match='more than 100 pixels'):
        open_clip(path, 100)


# ------------------------------------------------------- sequences, inputs


def make_sequence(folder: Path, number: int = 11, kind: str = 'png') -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for i, image in enumerate(frames(number), 1):
        cv2.imwrite(str(folder / f'f_{i}.{kind}'), image)
    return folder


def test_sequence(tmp_path):
    """In the order of the numbers, with the names of the photos."""
    folder = make_sequence(tmp_path / 'shot')
    (source, ), photos = split_inputs([str(folder)], True)
    clip = open_clip(source)
    assert not photos and clip.size == SIZE and clip.target.name == 'shot'
    assert error_of(list(clip.read()), frames(11)) == 0
    result = copied(clip, tmp_path / 'out')
    assert sorted(path.name for path in result.iterdir()) == sorted(
        f'f_{i}.png' for i in range(1, 12))
    assert error_of([cv2.imread(str(result / f'f_{i}.png'))
                     for i in range(1, 12)], frames(11)) == 0


def test_refused_sequences(tmp_path):
    folder = make_sequence(tmp_path / 'shot')
    cv2.imwrite(str(folder / 'f_3.png'), frames(1, (20, 30))[0])
    (source, ), _ = split_inputs([str(folder)], True)
    with pytest.raises(ImageError, match='frame 3: .*30x20.* 40x32'):
        open_clip(source)
    (folder / 'f_3.png').write_bytes(b'')
    with pytest.raises(ImageError, match='frame 3: .*f_3.png'):
        open_clip(source)
    with pytest.raises(DataError, match='only in their extension'):
        open_clip([make_sequence(tmp_path / 'a', 1) / 'f_1.png',
                   make_sequence(tmp_path / 'a', 1, 'bmp') / 'f_1.bmp'])
    # damage that the header does not show
    data = bytearray((folder / 'f_4.png').read_bytes())
    data[len(data) // 2] ^= 255
    (folder / 'f_4.png').write_bytes(data)
    clip = open_clip([folder / 'f_2.png', folder / 'f_4.png'])
    with pytest.raises(ClipError, match='frame 2 .*f_4.png'):
        list(clip.read())


def test_inputs(tmp_path):
    """Clips and photos in files, folders and patterns."""
    folder = make_sequence(tmp_path / 'in', 2)
    for name in ('a.mp4', 'B.MKV', '.c.mp4', 'e.txt'):
        (folder / name).touch()
    make_gif(folder / 'd.gif')
    Image.fromarray(frames(1)[0]).save(tmp_path / 'one.gif')

    def found(*names, **options):
        clips, photos = split_inputs([str(tmp_path / n) for n in names],
                                     **options)
        return [p.name for p in clips], [Path(p).name for p in photos]

    assert found('in') == (['B.MKV', 'a.mp4'], ['in'])
    assert found('in/a.mp4', 'in/d.gif', 'one.gif', 'in/f_1.png') == (
        ['a.mp4', 'd.gif'], ['one.gif', 'f_1.png'])
    assert found('in/*.mp4') == (['a.mp4'], [])
    assert found('in/*.gif') == (['d.gif'], [])
    assert found('in/*') == (['B.MKV', 'a.mp4'], ['*'])
    assert found('**/*.mp4', 'in/a.mp4') == (['a.mp4'], [])
    assert found('x.png') == ([], ['x.png'])  # reported as before
    with pytest.raises(DataError, match='with a single image'):
        found('*.gif')
    with pytest.raises(DataError, match='no image found'):
        found('nothing*.gif')
    with pytest.raises(DataError, match='add --video'):
        found('in/f_%d.png')


def test_inputs_of_sequences(tmp_path):
    make_sequence(tmp_path / 'a')
    make_sequence(tmp_path / 'b', 2)

    def found(*names):
        clips, photos = split_inputs([str(tmp_path / n) for n in names], True)
        assert not photos
        return [[path.name for path in clip] for clip in clips]

    numbers = [f'f_{i}.png' for i in range(1, 12)]
    assert found('a') == found('a/*.png') == found('a/f_%d.png') == [numbers]
    assert found('a/f_%02d.png') == [numbers[9:]]
    assert found('a', 'b/f_2.png', 'b/f_1.png') == [numbers, numbers[:2]]
    with pytest.raises(DataError, match='no image found'):
        found('a/g_%d.png')


def test_digest(tmp_path):
    path = make_clip(tmp_path / 'clip.mp4')
    before = VideoClip(path).digest()
    assert VideoClip(path).digest() == before
    path.write_bytes(path.read_bytes() + b' ')
    assert VideoClip(path).digest() != before
