"""Image files of every kind, damaged, missing, and with odd names."""
import faulthandler
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import FIGURES, ROOT, TINY, run_tool
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from irsde_mm.datasets import CleanImageDataset, PairedImageDataset
from irsde_mm.datasets.transforms import LoadImage
from irsde_mm.errors import DataError, ImageError
from irsde_mm.io.photos import find_images, read_photo
from irsde_mm.io.reader import image_size, read_image
from kinds import KINDS, bomb, encode, pixels
from PIL import Image, ImageOps

READABLE = [name for name, kind in KINDS.items() if not kind.refused]
REFUSED = [name for name, kind in KINDS.items() if kind.refused]
LOAD = [dict(type='irsde_mm.LoadImage', key='gt')]
PACKED = [*LOAD, dict(type='irsde_mm.GaussianNoise', sigma=0.1),
          dict(type='mmagic.PackInputs')]


@pytest.fixture(autouse=True)
def no_hang():
    """A test that hangs ends the process with a traceback."""
    faulthandler.dump_traceback_later(300, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


def put(folder: Path, name: str, content: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    return path


def png(**size) -> bytes:
    return encode(Image.fromarray(pixels(**size)), 'PNG')


def damaged(content: bytes) -> bytes:
    """Return a PNG with a damaged byte in its data."""
    middle = content.index(b'IDAT') + 30
    return content[:middle] + bytes([content[middle] ^ 255]) + content[
        middle + 1:]


# ------------------------------------------------------------------ kinds


@pytest.mark.parametrize('name', READABLE)
def test_readable_kinds(name, tmp_path):
    kind = KINDS[name]
    path = put(tmp_path, f'a{kind.suffix}', kind.content)
    image = read_image(path)
    assert image.dtype == np.uint8 and image.shape == kind.truth.shape
    assert abs(image[..., ::-1].astype(int) - kind.truth).max() <= (
        kind.tolerance)
    assert image_size(path) == image.shape[1::-1]
    assert np.array_equal(read_photo(path), image)
    loaded = LoadImage('gt')(dict(gt_path=str(path)))
    assert np.array_equal(loaded['gt'], image)
    assert loaded['ori_gt_shape'] == image.shape
    grey = read_image(path, grey=True)
    weights = np.array([0.114, 0.587, 0.299])
    assert grey.shape == (*image.shape[:2], 1)
    assert abs(grey[..., 0] - image @ weights).max() <= 1.5 + kind.tolerance


@pytest.mark.parametrize('name', REFUSED)
def test_refused_kinds(name, tmp_path):
    kind = KINDS[name]
    path = put(tmp_path, f'a{kind.suffix}', kind.content)
    for read in (image_size, read_image, read_photo):
        with pytest.raises(ImageError, match=kind.refused) as error:
            read(path)
        assert repr(str(path)) in str(error.value)


@pytest.mark.parametrize('name', ['rgb_png', 'rgb_jpg', 'progressive_jpg',
                                  'grey_png', 'grey_jpg'])
@pytest.mark.parametrize('color_type', ['color', 'grayscale'])
def test_ordinary_files_are_read_as_mmagic_does(name, color_type, tmp_path):
    """docs/results.md was measured with mmagic's loader."""
    from mmagic.datasets.transforms import LoadImageFromFile
    kind = KINDS[name]
    path = put(tmp_path, f'a{kind.suffix}', kind.content)
    ours, mmagics = (cls(key='gt', color_type=color_type)(
        dict(gt_path=str(path))) for cls in (LoadImage, LoadImageFromFile))
    assert np.array_equal(ours.pop('gt'), mmagics.pop('gt'))
    assert ours == mmagics


def test_number_of_channels(tmp_path):
    path = put(tmp_path, 'a.png', png())
    with pytest.raises(ImageError, match='in color'):
        read_photo(path, channels=1)
    path = put(tmp_path, 'b.png', KINDS['opaque_grey_png'].content)
    assert read_photo(path, channels=1).shape == (21, 34, 1)
    with pytest.raises(ValueError, match='sepia'):
        LoadImage('gt', color_type='sepia')


def test_refused_16_bit_tiffs(tmp_path):
    """12 of 16 bits would be read as nearly black, white-is-zero inverted."""
    deep = Image.fromarray(pixels()[..., 0].astype(np.uint16) * 257)
    content = encode(deep, 'TIFF')
    assert np.array_equal(
        read_image(put(tmp_path, 'a.tif', content))[..., 0],
        pixels()[..., 0])
    for tag, value in ((262, 0), (258, 12)):
        path = put(tmp_path, f'{tag}.tif', patched(content, tag, value))
        with pytest.raises(ImageError, match='unsupported mode I;16'):
            read_image(path)


def patched(content: bytes, tag: int, value: int) -> bytes:
    """Replace a short in the first directory of a little-endian TIFF."""
    data = bytearray(content)
    assert data[:2] == b'II'
    start = int.from_bytes(data[4:8], 'little')
    for i in range(int.from_bytes(data[start:start + 2], 'little')):
        entry = start + 2 + 12 * i
        if int.from_bytes(data[entry:entry + 2], 'little') == tag:
            data[entry + 8:entry + 10] = value.to_bytes(2, 'little')
    return bytes(data)


@pytest.mark.parametrize('size', [(100_000, 100_000), (2**31 - 1, 1),
                                  (20_000, 15_000)])
def test_bombs(size, tmp_path):
    path = put(tmp_path, 'a.png', bomb(png(), *size))
    for read in (image_size, read_image):
        with pytest.raises(ImageError, match='250,000,000.*max_pixels'):
            read(path)


def test_max_pixels(tmp_path, trained, error):
    path = put(tmp_path / 'in', 'a.png', png(h=20, w=30))
    assert image_size(path, max_pixels=600) == (30, 20)
    with pytest.raises(DataError, match='max_pixels'):
        CleanImageDataset(str(path.parent), max_pixels=599)
    dataset = CleanImageDataset(str(path.parent), max_pixels=600,
                                pipeline=LOAD)
    put(path.parent, 'a.png', png(h=20, w=31))
    with pytest.raises(ImageError, match='600 pixels'):
        dataset[0]
    assert 'max_pixels' in error('restore', path, '--model', trained, '--out',
                                 tmp_path / 'out', '--max-pixels', 599)


# ------------------------------------------------------------ odd files


NAMES = ['my photo.png', 'Größe 写真 📷.png', 'two\nlines.png', "it's.png",
         os.fsdecode(b'latin \xe4.png')]


@pytest.mark.parametrize('name', NAMES, ids=ascii)
def test_names(name, tmp_path, trained):
    path = put(tmp_path / 'in', name, png())
    assert np.array_equal(read_image(path)[..., ::-1], pixels())
    dataset = CleanImageDataset(str(path.parent), pipeline=LOAD)
    assert np.array_equal(dataset[0]['gt'], read_image(path))
    assert run_tool('restore', path.parent, '--model', trained, '--out',
                    tmp_path / 'out') == 0
    assert [p.name for p in (tmp_path / 'out').iterdir()] == [name]
    path.write_bytes(b'broken')
    with pytest.raises(ImageError) as error:
        read_image(path)
    assert '\n' not in str(error.value)


def odd_files(folder: Path) -> dict:
    """Create entries with names of images that are not images; return a part
    of the message about each."""
    put(folder, 'empty.png', b'')
    put(folder, 'text.png', b'hello')
    (folder / 'folder.png').mkdir()
    (folder / 'nothing.png').symlink_to(folder / 'gone.png')
    (folder / 'loop.png').symlink_to(folder / 'loop.png')
    os.mkfifo(folder / 'pipe.png')
    return {'empty.png': 'is empty', 'text.png': 'not a readable image',
            'folder.png': 'is a folder, pipe', 'pipe.png': 'is a folder, pipe',
            'nothing.png': 'is a broken link',
            'loop.png': 'symbolic links'}


def test_all_problems_are_listed_at_once(tmp_path, error, trained):
    wrong = odd_files(tmp_path / 'in')
    for i in range(3):
        put(tmp_path / 'in', f'{i}.png', png(h=80, w=80))
    put(tmp_path / 'in', 'small.png', png(h=63, w=80))
    put(tmp_path / 'in', 'bomb.png', bomb(png(), 10**5, 10**5))
    wrong |= {'small.png': '80x63, below 64', 'bomb.png': 'max_pixels'}
    message = error('train', 'quickstart/derain', '--work-dir',
                    tmp_path / 'run', '--data', tmp_path / 'in')
    assert message.startswith('error: 8 problem(s)')
    for name, words in wrong.items():
        assert re.search(f"{name}' [^;]*{words}", message), name
    assert not list((tmp_path / 'run').glob('*.pth'))
    message = error('test', trained / 'derain.py', trained / 'iter_2.pth',
                    '--work-dir', tmp_path / 'run', '--data', tmp_path / 'in')
    assert message.startswith('error: 7 problem(s)')


def test_pairs_of_other_sizes_and_many_problems(tmp_path):
    for i in range(30):
        put(tmp_path / 'input', f'{i}.png', png(h=20, w=30))
        put(tmp_path / 'target', f'{i}.png', png(h=30, w=20))
    with pytest.raises(DataError, match=r'^30 problem.*30x20.*and 20 more'):
        PairedImageDataset(str(tmp_path))


def test_unreadable_files(tmp_path):
    for name, words in odd_files(tmp_path).items():
        for read in (read_image, image_size, read_photo):
            with pytest.raises(ImageError, match=words):
                read(tmp_path / name)
    with pytest.raises(ImageError, match='does not exist'):
        read_image(tmp_path / 'gone.png')


@pytest.mark.skipif(os.geteuid() == 0, reason='root can read all files')
def test_files_without_permission(tmp_path):
    path = put(tmp_path / 'in', 'a.png', png())
    path.chmod(0)
    with pytest.raises(ImageError, match='Permission denied'):
        read_image(path)
    path.parent.chmod(0)
    with pytest.raises(DataError, match='cannot be read: Permission denied'):
        CleanImageDataset(str(path.parent))
    path.parent.chmod(0o700)


def test_patterns_with_link_loops(tmp_path):
    path = put(tmp_path / 'a', 'x.png', png())
    for name in ('one', 'two'):  # 2^40 ways
        (tmp_path / 'a' / name).symlink_to(tmp_path)
    assert find_images([str(tmp_path / '**' / '*.png')]) == [path]
    (tmp_path / 'loop').symlink_to(tmp_path / 'loop')
    with pytest.raises(DataError, match='symbolic links'):
        read_image(*find_images([str(tmp_path / 'loop')]))


# ------------------------------------------------- restoring the others


def test_restore_a_folder_with_bad_files(tmp_path, trained, capfd, error):
    odd_files(tmp_path / 'in')
    for name in ('a.png', 'z.png'):
        put(tmp_path / 'in', name, png())
    put(tmp_path / 'in', 'half.png', damaged(png()))
    model = ['--model', trained, '--out', tmp_path / 'out']
    assert run_tool('restore', tmp_path / 'in', *model) == 1
    assert {p.name for p in (tmp_path / 'out').iterdir()} == {
        'a.png', 'z.png'}
    out, err = capfd.readouterr()
    assert 'Traceback' not in err
    listed = err[err.index('7 of 9 photos could not be'):].splitlines()
    assert len(listed) == 8
    assert any('half.png' in line for line in listed)
    assert 'a.png' in out and 'half.png' not in out
    # it is an error if no photo can be restored
    assert 'half.png' in error('restore', tmp_path / 'in' / 'half.png',
                               *model)
    assert error('restore', *(tmp_path / 'in' / n for n in (
        'empty.png', 'pipe.png')), *model).startswith('error: 2 problem(s)')


# ------------------------------------------------- skipping in training


@pytest.fixture
def photos(tmp_path):
    for i in range(8):
        put(tmp_path / 'photos', f'{i}.png', png(h=70, w=70 + i))
    return tmp_path / 'photos'


def test_bad_images_are_replaced_by_the_next(photos):
    """The replacement depends on the index alone, not on random numbers."""
    dataset = CleanImageDataset(str(photos), pipeline=PACKED, max_skipped=3)
    (photos / '3.png').unlink()
    put(photos, '4.png', damaged(png(h=70, w=74)))
    put(photos, '7.png', b'')
    for index, place in ((2, 2), (3, 5), (4, 5), (5, 5), (7, 0), (3, 5)):
        np.random.seed(0)
        item = dataset[index]
        np.random.seed(0)
        other = dataset[place]
        assert np.array_equal(item['inputs'], other['inputs'])
        sample = item['data_samples']
        assert sample.gt_path.endswith(f'{place}.png')
        assert len(sample.skipped) == (place - index) % 8
    names = ' '.join(dataset.skipped)
    assert all(f"{i}.png'" in names for i in (3, 4, 7))
    (photos / '0.png').unlink()
    with pytest.raises(DataError, match=r'4 images failed.*max_skipped=3'):
        dataset[0]


def test_bad_test_images_are_not_replaced(photos):
    dataset = CleanImageDataset(str(photos), pipeline=PACKED)
    (photos / '3.png').unlink()
    with pytest.raises(ImageError, match="3.png' does not exist"):
        dataset[3]
    assert 'skipped' not in dataset[2]['data_samples']
    for path in photos.iterdir():
        path.unlink()
    dataset.max_skipped = 100  # more than the dataset has
    with pytest.raises(DataError, match='8 problem'):
        dataset[0]


def train(photos, folder, workers, limit, *options):
    return ['quickstart/denoise', '--work-dir', folder, '--data', photos,
            '--cfg-options', *(o for o in TINY if 'val_' not in o),
            f'train_dataloader.num_workers={workers}',
            f'train_dataloader.dataset.max_skipped={limit}',
            'train_cfg.max_iters=12', 'patch_size=32', 'region=32', *options]


@pytest.mark.grid(at_most=1)
@pytest.mark.parametrize('workers', [0, 2])
def test_training_skips_bad_images(photos, tmp_path, workers, error):
    for i in (2, 5):
        put(photos, f'{i}.png', damaged(png(h=70, w=70 + i)))
    assert run_tool('train', *train(photos, tmp_path / 'run', workers,
                                    2)) == 0
    log, = (tmp_path / 'run').glob('2*/2*.log')
    lines = [line for line in log.read_text().splitlines()
             if 'skipped image' in line]
    assert len(lines) == 2 and all('WARNING' in line for line in lines)
    assert "2.png' is not" in ''.join(lines)
    assert "5.png' is not" in ''.join(lines)
    message = error('train', *train(photos, tmp_path / 'stop', workers, 1))
    assert '2 images failed' in message and 'max_skipped=1' in message


@pytest.mark.slow
def test_two_processes_count_together(photos, tmp_path):
    """Each skips its own files; the limit holds for both together."""
    for i in (2, 5):
        put(photos, f'{i}.png', damaged(png(h=70, w=70 + i)))
    for limit, name in ((2, 'run'), (1, 'stop')):
        args = train(photos, tmp_path / name, 0, limit,
                     'default_hooks.skipped.interval=3')
        done = subprocess.run(
            ['bash', ROOT / 'tools' / 'dist_train.sh', args[0], '2',
             *map(str, args[1:])], text=True, capture_output=True,
            timeout=300, cwd=tmp_path, env={
                **os.environ, 'PYTHON': sys.executable,
                'PYTHONWARNINGS': 'ignore'})
        text = done.stdout + done.stderr
        assert (done.returncode == 0) == (name == 'run'), text[-3000:]
        if name == 'run':
            assert text.count('skipped image 1: ') == 1
            assert text.count('skipped image 2: ') == 1
        else:
            assert '2 images failed during training' in text


@pytest.mark.parametrize('phase', ['val', 'test'])
def test_validation_and_test_stop(phase, photos, tmp_path, trained, error):
    for part in ('train', 'val'):
        for path in photos.glob('*.png'):
            put(tmp_path / 'data' / part, path.name, path.read_bytes())
    put(tmp_path / 'data' / 'val', '3.png', damaged(png(h=70, w=73)))
    if phase == 'val':
        message = error('train', *train(
            tmp_path / 'data', tmp_path / 'run', 0, 5,
            'train_cfg.val_interval=1'))
    else:
        message = error('test', trained / 'derain.py',
                        trained / 'iter_2.pth', '--work-dir',
                        tmp_path / 'run', '--data', tmp_path / 'data')
    assert "3.png' is not a readable image" in message


# ----------------------------------------------------------- hypothesis


SMALL = [name for name in KINDS if name not in ('wide_png', 'tall_png')]
TRIED = FIGURES['malformed images']


@st.composite
def mutation(draw):
    """Draw the name of a kind, a kind of damage, and the damaged bytes."""
    name = draw(st.sampled_from(SMALL))
    content = KINDS[name].content
    place = st.integers(0, max(len(content) - 1, 0))
    how = draw(st.sampled_from(
        ['truncated', 'bytes changed', 'cut out', 'inserted', 'zeroed',
         'appended']))
    data = bytearray(content)
    if how == 'truncated':
        del data[draw(place):]
    elif how == 'bytes changed':
        for at in draw(st.lists(place, min_size=1, max_size=4)):
            data[at:at + 1] = bytes([draw(st.integers(0, 255))])
    elif how == 'appended':
        data += draw(st.binary(min_size=1, max_size=200))
    else:
        start, length = draw(place), draw(st.integers(1, 60))
        data[start:start + (0 if how == 'inserted' else length)] = {
            'cut out': b'', 'zeroed': bytes(length),
            'inserted': draw(st.binary(min_size=1, max_size=60))}[how]
    return name, how, bytes(data)


def truth(content: bytes):
    """Read a file with PIL alone: (H, W, 3) RGB, or None."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.load()
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith('I;16'):
                values = np.asarray(upright) >> 8
                return np.stack((values.astype(np.uint8), ) * 3, axis=2)
            return np.asarray(upright.convert('RGB'))
    except Exception:
        return None


def outcome(name: str, how: str, content: bytes, path: Path) -> str:
    """Read a mutated file and describe the result; unexpected ones raise."""
    path.write_bytes(content)
    try:
        image = read_image(path)[..., ::-1]
    except ImageError as error:
        assert repr(str(path)) in str(error) and '\n' not in str(error)
        return 'refused'
    kind = KINDS[name]
    whole = truth(kind.content)
    if image.shape == whole.shape and np.array_equal(image, whole):
        return 'read without damage'
    checked = kind.suffix == '.png' or how == 'truncated'
    assert not checked, 'a damaged picture was read as if it were whole'
    # libtiff leaves the pixels after a damaged fax code uninitialized
    if kind.suffix != '.jpg' and name != 'bit_tif':
        assert np.array_equal(image, truth(content))
    return f'read with damage ({kind.suffix[1:]} has no checksum)'


@pytest.mark.filterwarnings('ignore')
@settings(max_examples=400, deadline=None, derandomize=True, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=mutation())
def test_malformed_images(case, tmp_path):
    """They are read correctly or refused with an ImageError."""
    name, how, content = case
    faulthandler.dump_traceback_later(60, exit=True)
    path = tmp_path / f'x{KINDS[name].suffix}'
    end = outcome(name, how, content, path)
    try:
        size = image_size(path)
    except ImageError:
        size = None
    if end != 'refused':
        assert size == read_image(path).shape[1::-1]
    TRIED[f'{how}: {end}'] += 1


def test_number_of_malformed_images():
    assert sum(TRIED.values()) >= 200 or not TRIED
