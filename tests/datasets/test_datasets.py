"""PairedImageDataset, CleanImageDataset, BuiltinPhotos."""
import pickle

import numpy as np
import pytest
import torch
from irsde_mm.datasets import (BuiltinPhotos, CleanImageDataset,
                               PairedImageDataset)
from irsde_mm.errors import DataError
from PIL import Image


def write(path, size=(120, 90), value=100):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', size, (value, 0, 0)).save(path)


@pytest.fixture
def pairs(tmp_path):
    for name in ('b', 'a', 'c'):
        write(tmp_path / 'input' / f'{name}.png')
        write(tmp_path / 'target' / f'{name}.jpg')
    return tmp_path


def test_pairs_are_sorted_and_paired_by_name(pairs):
    dataset = PairedImageDataset(str(pairs))
    names = [(info['img_path'], info['gt_path']) for info in dataset]
    assert names == [(str(pairs / 'input' / f'{n}.png'),
                      str(pairs / 'target' / f'{n}.jpg')) for n in 'abc']


def test_pairs_go_through_mmagics_transforms(pairs):
    dataset = PairedImageDataset(str(pairs), pipeline=[
        dict(type='mmagic.LoadImageFromFile', key='img'),
        dict(type='mmagic.LoadImageFromFile', key='gt'),
        dict(type='mmagic.PairedRandomCrop', gt_patch_size=4),
        dict(type='mmagic.PackInputs')])
    item = dataset[1]
    assert item['inputs'].shape == (3, 4, 4)
    assert item['data_samples'].gt_img.shape == (3, 4, 4)
    assert item['data_samples'].gt_path.endswith('b.jpg')


def test_one_message_lists_all_problems(pairs):
    write(pairs / 'input' / 'lonely.png')
    write(pairs / 'target' / 'left.png')
    write(pairs / 'input' / 'b.png', size=(5, 5))
    (pairs / 'input' / 'a.png').write_bytes(b'no image')
    whole = (pairs / 'target' / 'c.jpg').read_bytes()
    (pairs / 'target' / 'c.jpg').write_bytes(whole[:-20])
    with pytest.raises(DataError) as error:
        PairedImageDataset(str(pairs))
    text = str(error.value)
    assert text.startswith('5 problem(s)')
    for words in ("lonely.png' has no partner", "left.png' has no partner",
                  "b.png' is 5x5", "a.png' is not a readable image",
                  "c.jpg' is not a readable image (image file is trunc"):
        assert words in text


def test_appended_bytes_are_ignored(pairs):
    """Phones append videos and previews to photos."""
    for path in (pairs / 'target' / 'a.jpg', pairs / 'input' / 'a.png'):
        path.write_bytes(path.read_bytes() + 500 * b'more')
    assert len(PairedImageDataset(str(pairs))) == 3


@pytest.mark.parametrize('kind', ['bmp', 'tif', 'webp'])
def test_other_formats_are_checked(tmp_path, kind):
    rng = np.random.default_rng(0)
    for side in ('input', 'target'):
        (tmp_path / side).mkdir()
        Image.fromarray(rng.integers(0, 256, (40, 50, 3), np.uint8)).save(
            tmp_path / side / f'a.{kind}')
    assert len(PairedImageDataset(str(tmp_path))) == 1
    broken = tmp_path / 'input' / f'a.{kind}'
    broken.write_bytes(broken.read_bytes()[:-800])
    with pytest.raises(DataError, match='not a readable image'):
        PairedImageDataset(str(tmp_path))


def test_many_problems_are_counted(tmp_path):
    for i in range(30):
        write(tmp_path / 'input' / f'{i}.png')
    write(tmp_path / 'target' / 'x.png')
    with pytest.raises(DataError, match='31 problem.*and 21 more'):
        PairedImageDataset(str(tmp_path))


@pytest.mark.parametrize('name, words', [
    ('nowhere', 'does not exist'), ('empty', 'contains no images')])
def test_missing_and_empty_folders(tmp_path, name, words):
    (tmp_path / 'empty' / 'input').mkdir(parents=True)
    with pytest.raises(DataError, match=words) as error:
        PairedImageDataset(str(tmp_path / name), hint='Ask the authors.')
    for part in ('target', 'Ask the authors.', 'configs/quickstart/'):
        assert part in str(error.value)


def test_pickled_dataset_gives_the_same(pairs):
    """Spawned workers unpickle it."""
    dataset = PairedImageDataset(str(pairs), pipeline=[
        dict(type='irsde_mm.LoadImage', key='img'),
        dict(type='mmagic.PackInputs')])
    copy = pickle.loads(pickle.dumps(dataset))
    assert len(copy) == 3
    for item, other in zip(copy, dataset):
        assert torch.equal(item['inputs'], other['inputs'])


def test_scale(tmp_path):
    write(tmp_path / 'input' / 'a.png', size=(6, 4))
    write(tmp_path / 'target' / 'a.png', size=(24, 16))
    assert PairedImageDataset(str(tmp_path), scale=4)[0]['scale'] == 4
    with pytest.raises(DataError, match='6x4 .* 24x16, not 2 times'):
        PairedImageDataset(str(tmp_path), scale=2)


def test_templates(tmp_path):
    """rain-001 belongs to norain-001."""
    for i in (2, 1):
        write(tmp_path / 'input' / f'rain-{i:03}.png')
        write(tmp_path / 'target' / f'norain-{i:03}.png')
    dataset = PairedImageDataset(
        str(tmp_path), templates=dict(img='rain-{}', gt='norain-{}'))
    assert [info['gt_path'][-8:] for info in dataset] == ['-001.png'] + [
        '-002.png']
    with pytest.raises(DataError, match='4 problem'):
        PairedImageDataset(str(tmp_path))
    with pytest.raises(ValueError, match='once'):
        PairedImageDataset(str(tmp_path), templates=dict(img='rain'))


def test_one_clean_image_for_several_degraded(tmp_path):
    """1400_1 and 1400_2 belong to 1400, as in RESIDE."""
    for name in ('1400_1', '1400_2', '14_1_0.9'):
        write(tmp_path / 'hazy' / f'{name}.png')
    for name in ('1400', '14'):
        write(tmp_path / 'clear' / f'{name}.png')
    def build():
        return PairedImageDataset(
            str(tmp_path), data_prefix=dict(img='hazy', gt='clear'),
            templates=dict(img='{}_*'))
    assert [(i['img_path'].split('/')[-1], i['gt_path'].split('/')[-1])
            for i in build()] == [
        ('1400_1.png', '1400.png'), ('1400_2.png', '1400.png'),
        ('14_1_0.9.png', '14.png')]
    write(tmp_path / 'hazy' / '15_1.png')
    with pytest.raises(DataError, match="15_1.png' has no partner"):
        build()


FORMATS = ('png', 'jpg', 'bmp', 'tif', 'webp')


def load(path, **options):
    """Return the image that training gets, after the checks of the dataset."""
    dataset = CleanImageDataset(str(path.parent), pipeline=[
        dict(type='irsde_mm.LoadImage', key='gt', **options)])
    return dataset[0]['gt'].astype(int)


@pytest.mark.parametrize('kind', FORMATS)
@pytest.mark.parametrize('mode', ['RGB', 'L'])
def test_file_formats(tmp_path, kind, mode):
    ramp = np.linspace(0, 255, 48 * 40).reshape(40, 48).astype(np.uint8)
    pixels = np.stack([ramp, ramp.T.reshape(40, 48), ramp[::-1]], axis=2)
    image = Image.fromarray(pixels).convert(mode)
    path = tmp_path / f'a.{kind}'
    image.save(path, **dict(jpg=dict(quality=100, subsampling=0),
                            webp=dict(lossless=True)).get(kind, {}))
    expected = np.asarray(image.convert('RGB'), dtype=int)[..., ::-1]
    assert abs(load(path) - expected).max() <= (3 if kind == 'jpg' else 0)
    if mode == 'L':
        gray = load(path, color_type='grayscale')
        assert gray.shape == (40, 48, 1)
        assert abs(gray - expected[..., :1]).max() <= 3


@pytest.mark.parametrize('kind', ['png', 'tif'])
def test_sixteen_bits_become_eight(tmp_path, kind):
    import cv2
    deep = np.arange(40 * 48 * 3).reshape(40, 48, 3) * 11
    path = tmp_path / f'a.{kind}'
    assert cv2.imwrite(str(path), deep.astype(np.uint16))
    assert abs(load(path) - deep / 257).max() <= 1


def test_only_opaque_alpha_is_accepted(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (9, 8, 4), np.uint8)
    pixels[..., 3] = 255
    Image.fromarray(pixels).save(tmp_path / 'a.png')
    assert np.array_equal(load(tmp_path / 'a.png'), pixels[..., 2::-1])
    pixels[0, 0, 3] = 254
    Image.fromarray(pixels).save(tmp_path / 'a.png')
    with pytest.raises(DataError, match="a.png' has transparent pixels"):
        load(tmp_path / 'a.png')


def test_photos_are_rotated_upright(tmp_path):
    """Sizes are compared after the rotation."""
    image = Image.new('RGB', (40, 30))
    exif = image.getexif()
    exif[0x0112] = 6
    for side, options in (('input', dict(exif=exif)), ('target', {})):
        (tmp_path / side).mkdir()
        (image if side == 'input' else image.transpose(Image.ROTATE_90)).save(
            tmp_path / side / 'a.jpg', **options)
    assert load(tmp_path / 'input' / 'a.jpg').shape == (40, 30, 3)
    assert len(PairedImageDataset(str(tmp_path))) == 1


def test_floating_point_files_are_refused(tmp_path):
    Image.fromarray(np.ones((9, 8), np.float32)).save(tmp_path / 'a.tif')
    with pytest.raises(DataError, match="a.tif' has the unsupported mode F"):
        CleanImageDataset(str(tmp_path))


def test_pairs_below_min_size(pairs):
    assert PairedImageDataset(str(pairs), min_size=90)
    with pytest.raises(DataError, match='3 problem.*120x90, below 91'):
        PairedImageDataset(str(pairs), min_size=91)


def test_clean_images(tmp_path):
    for name, size in (('b', (120, 90)), ('a', (60, 200))):
        write(tmp_path / f'{name}.png', size=size)
    dataset = CleanImageDataset(str(tmp_path), min_size=60)
    assert [i['gt_path'] for i in dataset] == [
        str(tmp_path / 'a.png'), str(tmp_path / 'b.png')]
    with pytest.raises(DataError, match='a.png. is 60x200, below 61'):
        CleanImageDataset(str(tmp_path), min_size=61)
    with pytest.raises(DataError, match='does not exist.*Ask'):
        CleanImageDataset(str(tmp_path / 'x'), hint='Ask.', lazy_init=True)


def test_same_name_twice(pairs):
    write(pairs / 'input' / 'a.jpg')
    with pytest.raises(DataError, match='same name'):
        PairedImageDataset(str(pairs))


def test_builtin_photos_have_a_fixed_split():
    train, test = (BuiltinPhotos(split) for split in ('train', 'test'))
    names = [{info['gt_path'] for info in d} for d in (train, test)]
    assert len(names[0]) == 10 and len(names[1]) == 3
    assert not names[0] & names[1]
    assert all(i['gt'].shape[2] == 3 and i['gt'].dtype == np.uint8
               for d in (train, test) for i in d)
    with pytest.raises(ValueError, match='train and test'):
        BuiltinPhotos('val')


def test_builtin_photos_are_copied():
    """Transforms may work in place."""
    dataset = BuiltinPhotos('test')
    first = dataset[0]['gt']
    kept = first.copy()
    first[:] = 0
    assert np.array_equal(dataset[0]['gt'], kept)
