"""16-bit files with data of 8 to 16 bits: PNG and TIFF, gray and color."""
import argparse
import warnings

import cv2
import numpy as np
import pytest
from conftest import run_tool
from irsde_mm.commands import cli
from irsde_mm.apis import RestorationInferencer, init_restorer, restore
from irsde_mm.config.completion import find_steps
from irsde_mm.datasets import CleanImageDataset
from irsde_mm.io.reader import (image_size, picture_pixels,
                                            read_image)
from irsde_mm.datasets.transforms import Haze, LoadImage
from irsde_mm.errors import ConfigError, ImageError
from PIL import Image

FULL = np.stack((*np.meshgrid(np.linspace(0, 1, 21), np.linspace(0, 1, 34),
                              indexing='ij'), np.full((21, 34), 0.4)), 2)
DARK = 'has 16 bits per channel but uses only'


def write(path, bits: int, channels: int = 3, side: int = 0) -> np.ndarray:
    """Write an image of this depth; return its upper 8 bits, (H, W, 3)."""
    values = np.rint(FULL * (2**bits - 1)).astype(np.uint16)
    if side:
        values = cv2.resize(values, (side, side))
    if channels == 1:
        values = values[..., 0]
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), values)
    upper = (values >> (bits - 8)).astype(np.uint8)
    return upper if channels == 3 else np.stack((upper, ) * 3, 2)


@pytest.fixture
def twelve(tmp_path):
    path = tmp_path / 'in' / 'twelve.png'
    return path, write(path, 12)


@pytest.mark.parametrize('channels', [1, 3])
@pytest.mark.parametrize('suffix', ['.png', '.tif'])
@pytest.mark.parametrize('bits', [8, 10, 12, 14, 16])
def test_depths(bits, suffix, channels, tmp_path, recwarn):
    path = tmp_path / f'a{suffix}'
    truth = write(path, bits, channels)
    level, logged = 2**bits - 1, []
    assert np.array_equal(read_image(path, white=level, warn=logged.append),
                          truth)
    assert not logged
    gray = read_image(path, True, white=level)
    assert gray.shape == (21, 34, 1)
    if channels == 1:
        assert np.array_equal(gray, truth[..., :1])
    assert image_size(path) == (34, 21)
    dark = read_image(path, warn=logged.append)
    assert np.array_equal(dark, truth >> (16 - bits))
    if bits == 16:
        assert not logged
    else:
        text, = logged
        assert repr(str(path)) in text and f'--white {level}' in text
        assert f'{DARK} 0 to {level}' in text
    assert not recwarn.list


def test_values_that_do_not_fit_the_white_level(twelve, tmp_path):
    path, truth = twelve
    with pytest.warns(UserWarning, match='up to 4095.*level 1023 are clipped'):
        clipped = read_image(path, white=1023)
    assert (clipped[truth >= 64] == 255).all() and clipped.min() == 0
    Image.fromarray(truth).save(tmp_path / 'b.png')
    with pytest.warns(UserWarning, match="b.png'.*4095 is not used"):
        eight = read_image(tmp_path / 'b.png', white=4095)
    assert np.array_equal(eight[..., ::-1], truth)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        dark = read_image(path, white=65535)  # explicit
        cv2.imwrite(str(path), np.zeros((9, 9), np.uint16))
        assert not read_image(path).any()  # black at any level
    assert np.array_equal(dark, truth >> 4)


@pytest.mark.parametrize('white', [0, 254, 65536, 4095., True, '4095'])
def test_bad_white_levels(white):
    with pytest.raises(ValueError, match=r'white=.* 255 to 65535'):
        LoadImage('gt', white=white)


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('kind', ['PNG', 'TIFF'])
def test_orientation_and_opaque_alpha(kind, orientation, tmp_path):
    """Same pixels as the 8-bit version of the image."""
    import tifffile
    deep = np.rint(FULL * 65535).astype(np.uint16)
    path, plain = tmp_path / 'a', tmp_path / 'b'
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray((deep >> 8).astype(np.uint8)).save(plain, kind, exif=exif)
    if kind == 'TIFF':
        tifffile.imwrite(path, deep, photometric='rgb', extratags=[
            (0x0112, 'H', 1, orientation, True)])
    else:
        alpha = np.full((21, 34, 1), 65535, np.uint16)
        content = cv2.imencode('.png', np.dstack((deep[..., ::-1], alpha)))[1]
        path.write_bytes(with_exif(content.tobytes(), exif))
    assert np.array_equal(read_image(path), read_image(plain))


def with_exif(png: bytes, exif: Image.Exif) -> bytes:
    import struct
    import zlib
    body = b'eXIf' + exif.tobytes().removeprefix(b'Exif\0\0')
    chunk = struct.pack('>I', len(body) - 4) + body + struct.pack(
        '>I', zlib.crc32(body))
    return png[:33] + chunk + png[33:]


@pytest.mark.parametrize('options', [{}, dict(compression='deflate')])
def test_separate_planes_are_refused(options, tmp_path):
    """PIL misreads one of these, OpenCV the other."""
    import tifffile
    path = tmp_path / 'a.tif'
    deep = np.rint(FULL * 65535).astype(np.uint16).transpose(2, 0, 1).copy()
    tifffile.imwrite(path, deep, photometric='rgb', planarconfig='separate',
                     **options)
    for read in (read_image, image_size):
        with pytest.raises(ImageError, match="a.tif' stores 16 bits"):
            read(path)


def test_pil_images(twelve, tmp_path):
    path, truth = twelve
    with pytest.warns(UserWarning, match=f'the PIL image {DARK}.*4095'):
        pixels = picture_pixels(Image.open(path))
    assert np.array_equal(pixels, truth >> 4)
    with pytest.raises(ImageError, match='8 of the 16 bits.*the path'):
        picture_pixels(Image.open(path), white=4095)
    gray = write(tmp_path / 'g.png', 12, 1)
    assert np.array_equal(picture_pixels(Image.open(tmp_path / 'g.png'),
                                         white=4095), gray)


def test_training_warns_once(twelve):
    path, truth = twelve
    for i in range(3):
        write(path.parent / f'{i}.png', 12)
    dataset = CleanImageDataset(str(path.parent), pipeline=[
        dict(type='irsde_mm.LoadImage', key='gt')])
    with pytest.warns(UserWarning) as logged:
        items = list(dataset)
    assert len(logged) == 1 and "0.png'" in str(logged[0].message)
    assert np.array_equal(items[3]['gt'], truth >> 4)
    dataset = CleanImageDataset(str(path.parent), pipeline=[
        dict(type='irsde_mm.LoadImage', key='gt', white=4095)])
    assert np.array_equal(dataset[3]['gt'], truth)


@pytest.mark.parametrize('file', [False, True])
def test_cache_depends_on_the_white_level(file, twelve, tmp_path):
    path, truth = twelve
    options = dict(cache_mb=1, **(
        dict(cache_file=str(tmp_path / 'c.lmdb')) if file else {}))
    for white in (4095, 65535, 4095, 65535):
        load = LoadImage('gt', white=white, **options)
        for _ in range(2):
            image = load(dict(gt_path=str(path)))['gt']
            assert np.array_equal(
                image, truth if white == 4095 else truth >> 4)


def test_depth_maps(tmp_path):
    write(tmp_path / 'maps' / 'a.png', 12, 1)
    haze = Haze(depth_folder=str(tmp_path / 'maps'))
    for words in ("a.png' has 16 bits but uses only 0 to 4095", None):
        with warnings.catch_warnings(record=True) as logged:
            warnings.simplefilter('always')
            haze._given('a.png', (21, 34))
        assert len(logged) == (words is not None)
        assert not words or words in str(logged[0].message)


# -------------------------------------------------------------- end to end


def test_restoring(trained, twelve, tmp_path, error):
    """The result has 8 bits and equals that of the same photo in 8 bits."""
    path, truth = twelve
    Image.fromarray(truth[..., ::-1]).save(tmp_path / 'eight.png')
    model = init_restorer(str(trained), device='cpu')
    expected = restore(model, tmp_path / 'eight.png', seed=1)
    assert np.array_equal(expected, restore(model, path, seed=1, white=4095))
    tool = ['restore', path, '--model', trained, '--seed', 1, '--compare']
    with warnings.catch_warnings(record=True) as logged:
        warnings.simplefilter('always')
        assert run_tool(*tool, '--out', tmp_path / 'a', '--white', 4095) == 0
    assert not [w for w in logged if DARK in str(w.message)]
    with Image.open(tmp_path / 'a' / 'twelve.png') as picture:
        assert picture.mode == 'RGB'
        assert np.array_equal(np.asarray(picture)[..., ::-1], expected)
    with warnings.catch_warnings(record=True) as logged:
        warnings.simplefilter('always')
        assert run_tool(*tool, '--out', tmp_path / 'b', '--samples', 2) == 0
    text, = [str(w.message) for w in logged if DARK in str(w.message)]
    assert str(path) in text
    assert 'white=9 is not' in error(*tool, '--out', tmp_path / 'c',
                                     '--white', 9)
    restorer = RestorationInferencer(str(trained), device='cpu')
    frames = restorer.interpolate(path, path, 2, white=4095, seed=1,
                                  show_progress=False)
    assert abs(frames[0].mean() - frames[1].mean()) < 1


def run_config(*arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument('config')
    cli.runner_arguments(parser)
    return cli.runner_config(parser.parse_args([*map(str, arguments)]))


def test_option_applies_to_all_data_of_a_config(tmp_path):
    cfg = run_config('irsde/derain', '--white', 4095)
    steps = [step for phase in ('train', 'val', 'test')
             for step in find_steps(cfg[f'{phase}_dataloader'])]
    assert len(steps) >= 6 and {step.white for step in steps} == {4095}
    for i in range(2):
        write(tmp_path / 'own' / f'{i}.png', 12, side=80)
    cfg = run_config('quickstart/denoise', '--data', tmp_path / 'own',
                     '--white', 4095)
    assert {step.white for step in find_steps(cfg.val_dataloader)} == {4095}
    with pytest.raises(ConfigError,
                       match='--white 4095 has no effect.*--data'):
        run_config('quickstart/denoise', '--white', 4095)
    with pytest.raises(ConfigError, match='white=1 '):
        run_config('irsde/derain', '--white', 1)


def test_patches_use_the_white_level(tmp_path):
    truth = write(tmp_path / 'own' / 'a.png', 12, side=80)
    (tmp_path / 'c.py').write_text(f'''
train_dataloader = dict(dataset=dict(
    type='irsde_mm.CleanImageDataset', data_root={str(tmp_path / "own")!r},
    pipeline=[dict(type='irsde_mm.LoadImage', key='gt', white=4095)]))
''')
    assert run_tool('prepare_data', 'patches', '--config', tmp_path / 'c.py',
                    '--size', 80, '--out', tmp_path / 'out') == 0
    patch, = (tmp_path / 'out').iterdir()
    assert np.array_equal(read_image(patch), truth)
