"""Archives with the published names, valid and invalid."""
import dataclasses
import io
import json
import os
import re
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, run_tool
from PIL import Image

# expected targets of the published names, independent of the table
LAID_OUT = {
    'rain100h': 'rain100h/{train,test}/{input,target}/001.png',
    'rain100l': 'rain100l/{train,test}/{input,target}/001.png',
    'gopro': 'gopro/{train,test}/{blur,sharp}/GOPR0372_07_00-000047.png',
    'div2k': 'df2k/{HR,LR_bicubic/X2,LR_bicubic/X3,LR_bicubic/X4}/0001.png '
    'denoising_train/DIV2K_0001.png',
    'flickr2k': 'df2k/{HR,LR_bicubic/X2,LR_bicubic/X3,LR_bicubic/X4}/'
    '000001.png denoising_train/Flickr2K_000001.png',
    'div2k_valid': 'DIV2K/{DIV2K_valid_HR,DIV2K_valid_LR_bicubic/X2,'
    'DIV2K_valid_LR_bicubic/X3,DIV2K_valid_LR_bicubic/X4}/0801.png',
    'set5': 'Set5/{GTmod12,LRbicx2,LRbicx3,LRbicx4}/baby.png',
    'bsd500': 'denoising_train/BSD500_100075.jpg',
    'waterloo': 'denoising_train/Waterloo_00001.bmp',
    'mcmaster': 'denoising_gaussian_test/McMaster/1.tif',
    'kodak24': 'denoising_gaussian_test/Kodak24/kodim01.png',
    'cbsd68': 'denoising_gaussian_test/CBSD68/101085.png',
    'celebahq': 'celebahq/train_256/00100.jpg celebahq/test_256/00000.jpg',
    'thin_masks': 'inpainting_masks/thin/000000.png',
    'reside_its': 'reside/ITS/hazy/1_1_0.90179.png reside/ITS/clear/1.png',
    'sots_indoor': 'reside/SOTS_indoor/hazy/1400_1.png '
    'reside/SOTS_indoor/clear/1400.png',
    'ntire2023_haze': 'ntire2023_haze/train/{hazy,clear}/01.png '
    'ntire2023_haze/val/{hazy,clear}/41.png',
    'ntire2023_shadow':
    'ntire2023_shadow/{train,val}/{shadow,shadow_free}/0000.png',
    'istd': 'istd/{train,test}/{shadow,shadow_free}/1-1.png',
}
LAID_OUT['df2k'] = f"{LAID_OUT['div2k']} {LAID_OUT['flickr2k']}"
COUNTS = {
    'rain100h': [1800, 1800, 100, 100], 'rain100l': [200, 200, 100, 100],
    'gopro': [2103, 2103, 1111, 1111], 'div2k': [800] * 4,
    'flickr2k': [2650] * 4, 'div2k_valid': [100] * 4, 'set5': [5] * 4,
    'bsd500': [500], 'waterloo': [4744], 'mcmaster': [18], 'kodak24': [24],
    'cbsd68': [68], 'celebahq': [None, 100], 'thin_masks': [100],
    'reside_its': [13990, 1399], 'sots_indoor': [500, 50],
    'ntire2023_haze': [None] * 4,
    'ntire2023_shadow': [1000, 1000, 100, 100], 'istd': [1330, 1330, 540, 540],
    'df2k': [800] * 4 + [2650] * 4}
NAMES = re.findall(r"^    '(\w+)': ", (
    ROOT / 'tools' / 'data_sources.py').read_text(), re.M) + ['df2k']


@pytest.fixture
def table(monkeypatch):
    """The module with the table, imported as the tool imports it."""
    monkeypatch.syspath_prepend(str(ROOT / 'tools'))
    import data_sources
    return data_sources


@pytest.fixture
def counts(table, monkeypatch):
    """Function that sets the image counts of the parts of a data set."""

    def to(name, *numbers):
        source = table.SOURCES[name]
        parts = tuple(
            dataclasses.replace(part, count=number)
            for part, number in zip(source.parts, numbers * 9))
        monkeypatch.setitem(table.SOURCES, name,
                            dataclasses.replace(source, parts=parts))

    return to


@pytest.fixture
def prepare(table, tmp_path):
    """Function that runs the tool with --out tmp_path/data and returns its
    exit code."""
    return lambda *args: run_tool('prepare_data', *args, '--out',
                                  tmp_path / 'data')


@pytest.fixture
def error(prepare, capfd):
    """Function that expects the tool to fail with an error of one or two
    lines and returns it."""

    def run(*args):
        capfd.readouterr()
        assert prepare(*args) == 2
        text = capfd.readouterr().err
        assert 'Traceback' not in text
        message = text[text.index('error: '):].strip()
        assert len(message.splitlines()) <= 2, message
        return message

    return run


def draw(path: Path, size=(24, 12), mode='RGB', seed=0) -> Path:
    """Write an image of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(
        0, 256, (*size[::-1], 3), dtype=np.uint8)
    Image.fromarray(noise).convert(mode).save(path)
    return path


def published(source, folder: Path) -> Path:
    """Write one image of each part under its published name."""
    scales = {pair.img: pair.scale for pair in source.pairs}
    for part in source.parts:
        scale = scales.get(part.role, 1)
        draw(folder / part.example, part.size or (24 // scale, 12 // scale),
             '1' if part.mask else 'RGB')
    return folder


def files(folder: Path) -> dict:
    """Return the contents of all files in a folder except stamps."""
    return {path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob('*')
            if path.is_file() and not path.name.endswith('.prepared.json')}


def expand(text: str) -> set:
    """Expand braces as a shell does."""
    found, done = text.split(), set()
    while found:
        item = found.pop()
        braces = re.search(r'\{([^}]*)\}', item)
        if braces is None:
            done.add(item)
        else:
            found += [item[:braces.start()] + choice + item[braces.end():]
                      for choice in braces[1].split(',')]
    return done


def rain(folder: Path, train: int = 3, test: int = 2) -> Path:
    """Write a Rain100H of a few pairs."""
    for split, number in (('train', train), ('test', test)):
        for i in range(1, number + 1):
            for k, word in enumerate(('rain', 'norain')):
                draw(folder / f'rain_data_{split}' / word / f'{word}-{i}.png',
                     seed=10 * i + k)
    return folder


def pack(folder: Path, archive: Path) -> Path:
    """Write a folder's files to a zip or tar archive."""
    paths = sorted(p for p in folder.rglob('*') if p.is_file())
    if archive.suffix == '.zip':
        with zipfile.ZipFile(archive, 'w', zipfile.ZIP_DEFLATED) as file:
            for path in paths:
                file.write(path, path.relative_to(folder))
    else:
        kind = archive.suffix.replace('.tgz', '.gz').replace('.tar', '')
        with tarfile.open(archive, f'w:{kind[1:]}') as file:
            for path in paths:
                file.add(path, path.relative_to(folder))
    return archive


# -------------------------------------------------------------- the table


def test_table(table):
    assert set(NAMES) == set(table.SOURCES) >= set(LAID_OUT)
    assert {name for name, source in table.SOURCES.items()
            if source.verified} == set(REAL)
    for name, numbers in COUNTS.items():
        parts = table.SOURCES[name].parts
        assert [part.count for part in parts] == numbers
    for source in table.SOURCES.values():
        roles = [part.role for part in source.parts]
        assert len(set(roles)) == len(roles)
        assert all({pair.img, pair.gt} <= set(roles) for pair in source.pairs)
        assert source.terms and source.obtained and source.configs


@pytest.mark.parametrize('name', NAMES)
def test_layout_of_every_set(name, table, counts, prepare, tmp_path, capfd):
    source = table.SOURCES[name]
    raw = published(source, tmp_path / 'raw')
    for part in source.parts:  # files that macOS adds
        draw(raw / '__MACOSX' / part.example)
        path = raw / part.example
        path.with_name(f'._{path.name}').write_bytes(b'junk')
    (raw / 'readme.txt').write_text('hello')
    counts(name, 1)
    assert prepare(name, '--source', raw) == 0
    text = capfd.readouterr().out
    assert source.terms in ' '.join(text.split())
    assert source.configs[0] in text
    assert ('were not checked' in text) == (not source.verified)
    data = tmp_path / 'data'
    laid_out = files(data)
    if name in LAID_OUT:
        assert set(laid_out) == expand(LAID_OUT[name])
    contents = {(raw / part.example).read_bytes() for part in source.parts}
    for path, content in laid_out.items():
        assert (data / path).is_symlink() and content in contents
        assert not os.path.isabs(os.readlink(data / path))
    stamp = json.loads((data / f'.{name}.prepared.json').read_text())
    assert stamp['counts'] == {part.role: 1 for part in source.parts}
    assert prepare(name, '--check') == 0


#: Names, mode and options of the data sets whose real files were laid out.
REAL = {
    'kodak24': ('Kodak24', [f'kodim{i:02}.png' for i in range(1, 25)],
                'RGB', {}),
    'mcmaster': ('McMaster', [f'{i}.tif' for i in range(1, 19)],
                 'RGB', dict(compression='packbits')),
    'thin_masks': ('thin', [f'{i:06}.png' for i in range(100)], '1', {}),
}


def real(name: str, root: Path) -> Path:
    """Write a data set under its real names; masks are saved as RGB."""
    folder, names, mode, options = REAL[name]
    path = root / folder / names[0]
    draw(path, mode=mode)
    with Image.open(path) as image:
        image.convert('RGB').save(path, **options)
    for other in names[1:]:
        path.with_name(other).write_bytes(path.read_bytes())
    return path.parent


@pytest.mark.parametrize('kind', ['folder', 'parent', 'flat', 'zip', 'many'])
@pytest.mark.parametrize('name', REAL)
def test_names_of_real_files(name, kind, table, prepare, tmp_path, capfd):
    """As a folder and as zip files: without a folder, with one, and with
    the other sets next to it."""
    folder = real(name, tmp_path / 'raw')
    source = dict(folder=folder, parent=folder.parent).get(kind)
    if kind == 'many':
        for other in REAL:
            real(other, tmp_path / 'raw')
    if source is None:
        source = pack(folder if kind == 'flat' else folder.parent,
                      tmp_path / f"{dict(many='test').get(kind, folder.name)}"
                      '.zip')
    assert prepare(name, '--source', source) == 0
    assert table.UNVERIFIED not in ' '.join(capfd.readouterr().out.split())
    target = Path(LAID_OUT[name]).parent
    assert set(files(tmp_path / 'data')) == {
        str(target / path.name) for path in folder.iterdir()}
    assert prepare(name, '--source', source) == 0
    assert 'already prepared' in capfd.readouterr().out
    assert prepare(name, '--check') == 0


@pytest.mark.parametrize('kind', ['zip', 'tar', 'tar.gz', 'tgz', 'tar.bz2',
                                  'tar.xz'])
def test_archives_and_copies(kind, counts, prepare, tmp_path):
    raw = rain(tmp_path / 'raw')
    counts('rain100h', 3, 3, 2, 2)
    for args in ([pack(raw, tmp_path / f'rain.{kind}')], [raw, '--copy']):
        assert prepare('rain100h', '--source', *args) == 0
        data = tmp_path / 'data'
        assert not any(path.is_symlink() for path in data.rglob('*'))
        laid_out = files(data)
        assert set(laid_out) == expand(
            'rain100h/train/{input,target}/{1,2,3}.png '
            'rain100h/test/{input,target}/{1,2}.png')
        for word, side in (('rain', 'input'), ('norain', 'target')):
            assert laid_out[f'rain100h/test/{side}/2.png'] == (
                raw / 'rain_data_test' / word / f'{word}-2.png').read_bytes()
        data.rename(tmp_path / f'data{len(args)}')


def test_an_archive_for_each_part(counts, prepare, tmp_path):
    """The name of an archive or folder alone may identify the part."""
    raw = rain(tmp_path / 'raw')
    counts('rain100h', 3, 3, 2, 2)
    train = pack(raw / 'rain_data_train', tmp_path / 'RainTrainH.zip')
    test = (raw / 'rain_data_test').rename(tmp_path / 'Rain100H_Test')
    assert prepare('rain100h', '--source', train, test) == 0


@pytest.mark.parametrize('name', ['train_and_test', 'training_sets',
                                  'my_tests'])
def test_innermost_folder_names_the_part(name, counts, prepare, tmp_path):
    counts('rain100h', 3, 3, 2, 2)
    assert prepare('rain100h', '--source', rain(tmp_path / name)) == 0


def test_folder_named_after_both_parts(error, tmp_path):
    draw(tmp_path / 'train_and_test' / 'rain' / 'rain-1.png')
    draw(tmp_path / 'train_and_test' / 'norain' / 'norain-1.png')
    assert 'no file is named' in error('rain100h', '--subset', '--source',
                                       tmp_path / 'train_and_test')


def test_second_targets_are_links(counts, prepare, tmp_path, error):
    draw(tmp_path / 'raw' / 'DIV2K_train_HR' / '0001.png')
    archive = pack(tmp_path / 'raw', tmp_path / 'DIV2K.zip')
    counts('div2k', 1)
    assert prepare('div2k', '--source', archive) == 0
    link = tmp_path / 'data' / 'denoising_train' / 'DIV2K_0001.png'
    assert os.readlink(link) == '../df2k/HR/0001.png'
    link.unlink()
    assert 'div2k_hr: 1 images in the first' in error('div2k', '--check',
                                                   '--subset')
    (tmp_path / 'data' / '.div2k.prepared.json').unlink()
    assert prepare('div2k', '--source', archive, '--copy') == 0
    assert not link.is_symlink() and link.exists()


def test_optional_parts_come_later(counts, prepare, tmp_path, capfd, table,
                                   error):
    """HR alone first, then also X4 in a second run, which is not skipped."""
    counts('div2k', 1)
    high = draw(tmp_path / 'DIV2K_train_HR' / '0001.png').parent
    low = tmp_path / 'low'
    draw(low / 'DIV2K_train_LR_bicubic' / 'X4' / '0001x4.png', (6, 3))
    draw(low / 'DIV2K_train_LR_unknown' / 'X4' / '0001x4.png', (7, 3))
    assert prepare('div2k', '--source', high) == 0
    assert 'left out' in capfd.readouterr().out
    assert prepare('div2k', '--source', high) == 0
    assert 'already prepared' in capfd.readouterr().out
    assert prepare('div2k', '--source', high, low) == 0
    link = tmp_path / 'data/df2k/LR_bicubic/X4/0001.png'
    link.unlink()  # contrary to the stamp, the part is empty
    assert prepare('div2k', '--source', high, low) == 0
    assert link.exists()
    # an image of another set in the same folder does not matter
    counts('flickr2k', 1)
    draw(tmp_path / 'Flickr2K' / 'Flickr2K_HR' / '000001.png')
    assert prepare('flickr2k', '--source', tmp_path / 'Flickr2K') == 0
    assert prepare('div2k', '--check') == 0
    assert prepare('flickr2k', '--check') == 0
    draw(low / 'DIV2K_train_LR_bicubic' / 'X4' / '0001x4.png', (6, 4))
    assert 'not 4 times that' in error('div2k', '--check')


def test_images_beside_folders(counts, prepare, tmp_path):
    counts('rain100h', 0, 0, 2, 2)
    for i in (1, 2):
        draw(tmp_path / f'Rain100H/rainy/rain-{i:03}.png', seed=i)
        draw(tmp_path / f'Rain100H/norain-{i:03}.png', seed=-i + 9)
    assert prepare('rain100h', '--source', tmp_path / 'Rain100H') == 0
    laid_out = files(tmp_path / 'data')
    assert set(laid_out) == expand(
        'rain100h/test/{input,target}/{001,002}.png')
    for side, name in (('input', 'rainy/rain-002'), ('target', 'norain-002')):
        assert laid_out[f'rain100h/test/{side}/002.png'] == (
            tmp_path / 'Rain100H' / f'{name}.png').read_bytes()


# ------------------------------------------------------- incomplete sources


def test_wrong_counts(counts, error, prepare, tmp_path):
    raw = rain(tmp_path / 'raw')
    counts('rain100h', 4, 4, 2, 2)
    text = error('rain100h', '--source', raw)
    assert 'train_input: 4 images expected, 3 found' in text
    assert 'train_target: 4 images' in text and 'test_input' not in text
    assert not (tmp_path / 'data').exists()
    counts('rain100h', 2, 2, 2, 2)
    assert '2 images expected, 3 found' in error('rain100h', '--source', raw)
    assert prepare('rain100h', '--source', raw, '--subset') == 0
    assert 'expected' in error('rain100h', '--check')
    assert prepare('rain100h', '--check', '--subset') == 0


def test_subset(error, prepare, tmp_path, table):
    """--subset takes test images alone but not an empty source."""
    raw = rain(tmp_path / 'raw', train=0)
    assert 'train_input: 1800 images expected, 0 found' in error(
        'rain100h', '--source', raw)
    assert prepare('rain100h', '--source', raw, '--subset') == 0
    assert 'no images of' in error('rain100l', '--check', '--subset')


def test_images_without_partner(counts, error, tmp_path):
    raw = rain(tmp_path / 'raw', 13, 1)
    counts('rain100h', 13, 13, 1, 1)
    for i in range(1, 13):
        path = raw / 'rain_data_train' / 'rain' / f'rain-{i}.png'
        path.rename(path.with_name(f'rain-{i}x2.png'))
    for options in [], ['--subset']:
        text = error('rain100h', '--source', raw, *options)
        some, others = re.findall(r'no partner in (train_\w+): (.*?);? and 2 '
                                  'more', text)
        assert some[0] == 'train_target' and others[0] == 'train_input'
        assert some[1].count("/rain/rain-") == 10
        assert others[1].count("/norain/norain-") == 10
    assert not (tmp_path / 'data').exists()


def test_hazy_images_without_clear_image(counts, error, prepare, tmp_path):
    counts('reside_its', 3, 2)
    folder = tmp_path / 'ITS'
    for name in ('hazy/1_1_0.9', 'hazy/1_2_0.8', 'hazy/11_1', 'clear/1',
                 'clear/12'):
        draw(folder / f'{name}.png')
    text = error('reside_its', '--source', folder)
    assert "no partner in clear: 'ITS/hazy/11_1.png'" in text
    assert "no partner in hazy: 'ITS/clear/12.png'" in text
    (folder / 'clear' / '12.png').rename(folder / 'clear' / '11.png')
    assert prepare('reside_its', '--source', folder) == 0


def test_nothing_matches(error, tmp_path, table):
    raw = draw(tmp_path / 'raw' / 'photo.png').parent
    text = error('rain100h', '--source', raw)
    assert 'raw/photo.png' in text and '--pattern' in text
    rain(tmp_path / 'rain')
    pack(tmp_path / 'rain', raw / 'inner.zip')
    for source in raw, pack(raw, tmp_path / 'outer.zip'):
        text = error('rain100h', '--source', source)
        assert 'archives inside' in text and 'inner.zip' in text
    (tmp_path / 'empty').mkdir()
    assert 'no file' in error('rain100h', '--source', tmp_path / 'empty')
    assert 'not exist' in error('rain100h', '--source', tmp_path / 'nowhere')
    assert 'a zip or a tar' in error('rain100h', '--source',
                                     raw / 'photo.png')
    assert '--source' in error('rain100h')


def test_two_files_for_one_name(counts, error, tmp_path):
    counts('kodak24', 1)
    for folder in 'ab':
        draw(tmp_path / 'raw' / folder / 'kodim01.png')
    text = error('kodak24', '--source', tmp_path / 'raw')
    assert 'raw/a/kodim01.png' in text and 'raw/b/kodim01.png' in text


@pytest.mark.parametrize('kind', ['zip', 'tar', 'tgz', 'tar.xz', 'tar.bz2'])
def test_truncated_archives(kind, counts, error, tmp_path):
    whole = pack(rain(tmp_path / 'raw'), tmp_path / f'whole.{kind}')
    content = whole.read_bytes().rstrip(b'\0')  # a tar's padding
    counts('rain100h', 3, 3, 2, 2)
    broken = tmp_path / f'broken.{kind}'
    for part in (0.3, 0.6, 0.9):
        broken.write_bytes(content[:int(part * len(content)) // 512 * 512])
        text = error('rain100h', '--source', broken, '--subset')
        assert f'broken.{kind}' in text and 'complete?' in text
        if kind == 'tar':
            assert re.search(r"'rain_data_\w+/\w+/\w+-\d.png' in", text)
    assert not (tmp_path / 'data').exists()


def test_tar_cut_between_two_files(counts, error, tmp_path):
    archive = pack(rain(tmp_path / 'raw'), tmp_path / 'rain.tar')
    with tarfile.open(archive) as file:
        end = file.getmembers()[6].offset
    archive.write_bytes(archive.read_bytes()[:end])
    assert 'complete?' in error('rain100h', '--source', archive, '--subset')


@pytest.mark.parametrize('kind', ['zip', 'tgz'])
def test_bad_checksums(kind, counts, error, tmp_path):
    archive = pack(rain(tmp_path / 'raw'), tmp_path / f'rain.{kind}')
    counts('rain100h', 3, 3, 2, 2)
    content = bytearray(archive.read_bytes())
    if kind == 'zip':
        with zipfile.ZipFile(archive) as file:
            info = file.getinfo('rain_data_test/rain/rain-2.png')
        at = info.header_offset + 100
    else:
        at = len(content) - 8  # gzip's checksum
    content[at] ^= 255
    archive.write_bytes(content)
    text = error('rain100h', '--source', archive)
    assert f'rain.{kind}' in text and 'complete?' in text
    if kind == 'zip':
        assert "'rain_data_test/rain/rain-2.png'" in text
    assert not (tmp_path / 'data' / '.rain100h.prepared.json').exists()


# -------------------------------------------------------- stopped, resumed


@pytest.mark.parametrize('kind', ['folder', 'copy', 'zip', 'tgz'])
def test_interrupted_and_run_again(kind, counts, prepare, tmp_path,
                                   monkeypatch, error):
    source = raw = rain(tmp_path / 'raw')
    if kind in ('zip', 'tgz'):
        source = pack(raw, tmp_path / f'rain.{kind}')
    args = ['rain100h', '--source', source] + ['--copy'] * (kind == 'copy')
    counts('rain100h', 3, 3, 2, 2)
    data, replace, calls = tmp_path / 'data', os.replace, []

    def stops(a, b):
        calls.append(b)
        if len(calls) == 5:
            raise KeyboardInterrupt
        replace(a, b)

    with monkeypatch.context() as patch:
        patch.setattr(os, 'replace', stops)
        assert prepare(*args) == 130
    first = files(data)
    assert len(first) == 4  # no incomplete file
    assert not (data / '.rain100h.prepared.json').exists()
    assert 'expected' in error('rain100h', '--check')
    # killing the tool leaves temporary files
    for path in calls[0], calls[4]:
        path.with_name(f'.{path.name}.partial').write_bytes(b'half')
    assert prepare(*args) == 0
    assert all(path.is_symlink() == (kind == 'folder')
               for path in data.rglob('*.png'))
    assert (data / '.rain100h.prepared.json').exists()
    resumed = files(data)
    assert prepare(*args[:3], '--copy') == 0  # nothing to do
    data.rename(tmp_path / 'resumed')
    assert prepare(*args) == 0
    assert files(data) == resumed and set(first) < set(resumed)


def test_existing_files_are_not_rewritten(counts, prepare, tmp_path):
    raw = rain(tmp_path / 'raw')
    counts('rain100h', 3, 3, 2, 2)
    args = ['rain100h', '--source', raw, '--copy']
    assert prepare(*args) == 0
    data = tmp_path / 'data'
    times = {path: path.stat().st_mtime_ns for path in data.rglob('*.png')}
    gone = data / 'rain100h' / 'test' / 'input' / '2.png'
    gone.unlink()
    assert prepare(*args) == 0
    assert gone.exists() and all(
        path.stat().st_mtime_ns == time for path, time in times.items()
        if path != gone)


def interrupt(*args):
    raise KeyboardInterrupt


def test_already_prepared(counts, prepare, tmp_path, capfd, error,
                          monkeypatch):
    raw = rain(tmp_path / 'raw')
    counts('rain100h', 3, 3, 2, 2)
    archive = pack(raw, tmp_path / 'rain.zip')
    assert prepare('rain100h', '--source', archive) == 0
    archive.unlink()  # not read again
    capfd.readouterr()
    assert prepare('rain100h', '--source', archive) == 0
    text = capfd.readouterr().out
    assert 'already prepared' in text and len(text.splitlines()) == 1
    # a stamp alone is not enough
    stamp = tmp_path / 'data' / '.rain100h.prepared.json'
    image = tmp_path / 'data' / 'rain100h' / 'test' / 'input' / '1.png'
    for change in (lambda: image.write_bytes(b''), image.unlink):
        change()
        assert 'does not exist' in error('rain100h', '--source', archive)
    # an interrupted run removes the stamp
    with monkeypatch.context() as patch:
        patch.setattr(os, 'replace', interrupt)
        assert prepare('rain100h', '--source', raw) == 130
    assert not stamp.exists()
    assert prepare('rain100h', '--source', raw) == 0
    stamp.write_text('no json')
    assert prepare('rain100h', '--source', raw) == 0
    assert json.loads(stamp.read_text())['counts']['test_input'] == 2


def test_larger_subset(prepare, tmp_path, table, capfd):
    args = ['rain100h', '--subset', '--source']
    assert prepare(*args, rain(tmp_path / 'a', 1, 1)) == 0
    assert prepare(*args, tmp_path / 'a') == 0
    assert 'already prepared' in capfd.readouterr().out
    (tmp_path / 'data/rain100h/test/input/1.png').unlink()
    (tmp_path / 'data/rain100h/test/target/1.png').unlink()
    assert prepare(*args, rain(tmp_path / 'b', 2, 1)) == 0
    assert len(files(tmp_path / 'data')) == 6


def test_other_files_are_kept(counts, prepare, error, tmp_path):
    raw = rain(tmp_path / 'raw')
    counts('rain100h', 3, 3, 2, 2)
    mine = tmp_path / 'data' / 'rain100h' / 'test' / 'input' / '2.png'
    note = mine.with_name('notes.txt')
    mine.parent.mkdir(parents=True)
    note.write_text('mine')
    for content in (b'mine', b''):
        mine.write_bytes(content)
        for source in raw, pack(raw, tmp_path / 'rain.zip'):
            assert 'input/2.png' in error('rain100h', '--source', source)
            assert mine.read_bytes() == content
            assert len(files(tmp_path / 'data')) == 2  # nothing was written
    mine.unlink()
    mine.symlink_to('nowhere')
    assert 'broken link' in error('rain100h', '--source', raw)
    assert mine.is_symlink()
    mine.unlink()
    extra = draw(mine.with_name('extra.png'))
    assert 'expected, 3 found' in error('rain100h', '--source', raw)
    assert extra.exists()
    assert not (tmp_path / 'data' / '.rain100h.prepared.json').exists()
    extra.unlink()
    assert prepare('rain100h', '--source', raw) == 0
    assert note.read_text() == 'mine'


def test_unwritable(error, counts, tmp_path):
    counts('kodak24', 1)
    raw = draw(tmp_path / 'raw' / 'kodim01.png').parent
    (tmp_path / 'data').write_text('a file')
    assert 'cannot write' in error('kodak24', '--source', raw)
    (tmp_path / 'data').unlink()
    (tmp_path / 'data').mkdir()
    (tmp_path / 'data' / 'denoising_gaussian_test').write_text('a file')
    assert 'cannot write' in error('kodak24', '--source', raw)


def test_file_system_without_links(counts, prepare, tmp_path, monkeypatch,
                                   capfd):
    counts('kodak24', 1)
    raw = draw(tmp_path / 'raw' / 'kodim01.png').parent

    def refuses(*args, **kwargs):
        raise PermissionError(1, 'Operation not permitted')

    monkeypatch.setattr(os, 'symlink', refuses)
    assert prepare('kodak24', '--source', raw) == 0
    assert 'were copied' in ' '.join(capfd.readouterr().out.split())
    path, = (tmp_path / 'data').rglob('*.png')
    assert not path.is_symlink()


def test_links_from_a_linked_folder(counts, prepare, tmp_path):
    """A data folder on another disk, and a source that is a link."""
    counts('kodak24', 1)
    draw(tmp_path / 'deep' / 'down' / 'raw' / 'kodim01.png')
    (tmp_path / 'raw').symlink_to(tmp_path / 'deep' / 'down' / 'raw')
    (tmp_path / 'disk' / 'a' / 'b').mkdir(parents=True)
    (tmp_path / 'data').symlink_to(tmp_path / 'disk' / 'a' / 'b')
    assert prepare('kodak24', '--source', tmp_path / 'raw') == 0
    assert prepare('kodak24', '--check') == 0


def test_target_is_not_read_as_source(counts, prepare, tmp_path):
    """Raw files in --out, and folders that link to each other."""
    counts('kodak24', 1)
    raw = draw(tmp_path / 'data' / 'raw' / 'kodim01.png').parent
    (raw / 'again').symlink_to(tmp_path / 'data')
    for _ in range(2):
        assert prepare('kodak24', '--source', tmp_path / 'data') == 0
        (tmp_path / 'data' / '.kodak24.prepared.json').unlink()


# ---------------------------------------------------------------- options


def test_patterns(counts, prepare, error, tmp_path):
    counts('rain100l', 1)
    raw = tmp_path / 'raw'
    for split in ('train', 'test'):
        for side in ('rainy', 'clean'):
            draw(raw / split / side / 'x7.png')
    good = [rf'{split}_{role}=.*/{split}/{side}/x(?P<name>\d)\.png'
            for split in ('train', 'test')
            for role, side in (('input', 'rainy'), ('target', 'clean'))]
    assert prepare('rain100l', '--source', raw, '--pattern', *good) == 0
    assert set(files(tmp_path / 'data')) == expand(
        'rain100l/{train,test}/{input,target}/7.png')
    roles = 'train_input, train_target, test_input, test_target'
    for pattern, words in (
            ('trian_input=x', 'ROLE=REGEX'), ('x', 'ROLE=REGEX'),
            ('test_input=', '(?P<name>...)'),
            ('test_input=.*(?P<nmae>.*)', '(?P<name>...)'),
            ('test_input=(?P<name>', 'missing )')):
        text = error('rain100l', '--source', raw, '--pattern', pattern)
        assert words in text and roles in text
    assert '(?P<scene>...)' in error('gopro', '--check', '--pattern',
                                     'test_blur=.*(?P<name>.*)')


def test_names_must_not_be_paths(counts, error, tmp_path):
    counts('kodak24', 1)
    raw = draw(tmp_path / 'raw' / 'a' / 'b.png').parents[1]
    for pattern in ('images=raw(?P<name>.*)b.png',
                    r'images=raw/(?P<name>.*)\.png', 'images=.*(?P<name>)'):
        assert 'not a valid' in error('kodak24', '--source', raw, '--pattern',
                                  pattern)
    assert not (tmp_path / 'data').exists()


@pytest.mark.parametrize('kind', ['zip', 'tar'])
def test_malicious_archives(kind, counts, prepare, tmp_path):
    """Paths in an archive are not written to and links are skipped."""
    counts('kodak24', 2)
    picture = draw(tmp_path / 'x.png').read_bytes()
    names = ['../../evil/kodim01.png', '/evil/kodim02.png']
    archive = tmp_path / f'evil.{kind}'
    if kind == 'zip':
        with zipfile.ZipFile(archive, 'w') as file:
            for name in names:
                file.writestr(name, picture)
    else:
        with tarfile.open(archive, 'w') as file:
            for name in names:
                info = tarfile.TarInfo(name)
                info.size = len(picture)
                file.addfile(info, io.BytesIO(picture))
            link = tarfile.TarInfo('kodim03.png')
            link.type, link.linkname = tarfile.SYMTYPE, '/etc/passwd'
            file.addfile(link)
    before = set(tmp_path.rglob('*'))
    assert prepare('kodak24', '--source', archive) == 0
    new = set(tmp_path.rglob('*')) - before
    folder = tmp_path / 'data' / 'denoising_gaussian_test' / 'Kodak24'
    assert {p for p in new if p.is_file()} == {
        folder / 'kodim01.png', folder / 'kodim02.png',
        tmp_path / 'data' / '.kodak24.prepared.json'}


def test_check(counts, prepare, error, tmp_path, capfd):
    counts('rain100h', 3, 3, 2, 2)
    text = error('rain100h', '--check')
    assert 'train_input: 3 images expected, 0 found' in text
    assert prepare('rain100h', '--source', rain(tmp_path / 'raw'),
                   '--copy') == 0
    capfd.readouterr()
    assert prepare('rain100h', '--check') == 0
    assert 'rain100h/train/input' in capfd.readouterr().out
    folder = tmp_path / 'data' / 'rain100h' / 'train'
    draw(folder / 'input' / '1.png', (24, 13))
    half = folder / 'target' / '2.png'
    half.write_bytes(half.read_bytes()[:100])
    (folder / 'target' / '3.png').rename(folder / 'target' / '4.png')
    text = error('rain100h', '--check')
    assert '24x13 but' in text and 'target/2.png' in text
    assert "no partner in train_target: '" in text and 'input/3.png' in text
    assert "no partner in train_input: '" in text and 'target/4.png' in text
    assert error('rain100h', '--check', '--subset') == text
    # a source that has been moved
    assert prepare('rain100l', '--subset', '--source',
                   rain(tmp_path / 'raw2')) == 0
    (tmp_path / 'raw2').rename(tmp_path / 'raw3')
    assert '10 problem(s)' in error('rain100l', '--check', '--subset')


def test_unreadable_images(counts, error, tmp_path):
    counts('kodak24', 2)
    raw = draw(tmp_path / 'raw' / 'kodim01.png').parent
    (raw / 'kodim02.png').write_bytes(b'no image')
    assert 'kodim02.png' in error('kodak24', '--source', raw)
    assert not (tmp_path / 'data' / '.kodak24.prepared.json').exists()


def test_face_sizes(counts, error, tmp_path):
    counts('celebahq', None, 1)
    draw(tmp_path / 'celeba_hq_256' / '00001.jpg', (256, 256))
    draw(tmp_path / 'test' / '00002.jpg', (256, 255))
    text = error('celebahq', '--source', tmp_path / 'celeba_hq_256',
                 tmp_path / 'test')
    assert '1 problem' in text and '00002.jpg' in text and '256x255' in text


@pytest.mark.parametrize('mode', ['1', 'L', 'RGB', 'P'])
def test_gray_masks(mode, counts, prepare, error, tmp_path):
    counts('thin_masks', 2)
    folder = tmp_path / 'masks' / 'thin'
    for i in (1, 2):
        path = draw(folder / f'{i}.png', mode='1')
        with Image.open(path) as image:
            mask = image.convert('L')
        if i == 2 and mode != '1':
            mask.putpixel((3, 3), 254)
        mask.convert(mode).save(path)
    if mode == '1':
        assert prepare('thin_masks', '--source', folder.parent) == 0
    else:
        text = error('thin_masks', '--source', folder.parent)
        assert '1 problem' in text and '2.png' in text and 'black' in text


@pytest.mark.parametrize('kind', ['folder', 'zip', 'tgz'])
def test_clear_images_are_cropped(kind, counts, prepare, tmp_path):
    counts('sots_indoor', 2, 2)
    source = raw = tmp_path / 'SOTS'
    for i, clear in ((1400, (34, 32)), (1401, (24, 12))):
        draw(raw / 'indoor' / 'gt' / f'{i}.png', clear, seed=i)
        draw(raw / 'indoor' / 'hazy' / f'{i}_1.png', (24, 12))
        draw(raw / 'outdoor' / 'gt' / f'{i}.png')
        draw(raw / 'outdoor' / 'hazy' / f'{i}_1.png')
    if kind != 'folder':
        source = pack(raw, tmp_path / f'SOTS.{kind}')
    args = ['sots_indoor', '--source', source]
    assert prepare(*args) == 0
    folder = tmp_path / 'data' / 'reside' / 'SOTS_indoor' / 'clear'
    with Image.open(raw / 'indoor' / 'gt' / '1400.png') as whole:
        pixels = np.asarray(whole)
    assert not (folder / '1400.png').is_symlink()
    with Image.open(folder / '1400.png') as clear:
        assert clear.format == 'PNG'
        assert np.array_equal(np.asarray(clear), pixels[10:-10, 5:-5])
    # an image of the right size is taken unchanged
    assert (folder / '1401.png').read_bytes() == (
        raw / 'indoor' / 'gt' / '1401.png').read_bytes()
    (tmp_path / 'data' / '.sots_indoor.prepared.json').unlink()
    (folder / '1401.png').unlink()
    assert prepare(*args) == 0


@pytest.mark.parametrize('clear', [(25, 12), (24, 13), (22, 12), (34, 10)])
def test_unequal_borders_are_not_cropped(clear, counts, error, tmp_path):
    counts('sots_indoor', 1)
    draw(tmp_path / 'SOTS' / 'gt' / '1400.png', clear)
    draw(tmp_path / 'SOTS' / 'hazy' / '1400_1.png', (24, 12))
    text = error('sots_indoor', '--source', tmp_path / 'SOTS')
    assert '24x12 but' in text and f'{clear[0]}x{clear[1]}' in text


def test_other_sets_are_not_cropped(counts, error, tmp_path):
    counts('reside_its', 1)
    draw(tmp_path / 'ITS' / 'clear' / '1.png', (34, 22))
    draw(tmp_path / 'ITS' / 'hazy' / '1_1_0.9.png', (24, 12))
    assert '34x22' in error('reside_its', '--source', tmp_path / 'ITS')


def test_help_and_usage(prepare, capsys, table):
    assert run_tool('prepare_data', '--help') == 0
    text = capsys.readouterr().out
    assert all(f"{name}{'' if source.verified else '*'}: " in text
               for name, source in table.SOURCES.items())
    assert table.UNVERIFIED in text
    for args in ([], ['rain100x']):
        assert prepare(*args) == 2
        assert 'usage: ' in capsys.readouterr().err
