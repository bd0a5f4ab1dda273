"""Pairs with different file names, in two folders or in one."""
import pytest
from irsde_mm.datasets import PairedImageDataset
from irsde_mm.datasets.pair_names import PairNames
from irsde_mm.errors import DataError
from PIL import Image

ONE = dict(img='', gt='')


def write(folder, *names, size=(24, 20)):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.new('RGB', size).save(folder / name)


def build(folder, img, gt, prefix=ONE):
    dataset = PairedImageDataset(str(folder), prefix,
                                 templates=dict(img=img, gt=gt))
    return [tuple(info[f'{side}_path'].rsplit('/', 1)[1]
                  for side in ('img', 'gt')) for info in dataset]


@pytest.mark.parametrize('img, gt, files, pairs', [
    ('{}_hazy', '{}_GT', 'a_hazy a_GT b_hazy b_GT', 'a_hazy a_GT b_hazy b_GT'),
    ('rain-{}', 'norain-{}', 'rain-1 norain-1', 'rain-1 norain-1'),
    # a name that fits both templates belongs to the longer one
    ('{}', '{}_GT', '1 1_GT', '1 1_GT'),
    ('{}_LQ', '{}', '1 1_LQ', '1_LQ 1'),
    ('{}_*', '{}_GT', '1_1 1_2 1_GT', '1_1 1_GT 1_2 1_GT'),
    ('{}_*', '{}', '1 1_1_0.9 1_2_0.8 11 11_1',
     '11_1 11 1_1_0.9 1 1_2_0.8 1'),
])
def test_pairs_in_one_folder(tmp_path, img, gt, files, pairs):
    write(tmp_path, *(f'{name}.png' for name in files.split()))
    names = [f'{name}.png' for name in pairs.split()]
    assert build(tmp_path, img, gt) == list(zip(names[::2], names[1::2]))


def test_names_that_fit_no_template(tmp_path):
    write(tmp_path, 'rain-1.png', 'norain-1.jpg', 'rainstreak-1.png',
          'rainstreak-1.jpg')
    with pytest.warns(UserWarning, match=r"2 image\(s\) that match neither "
                      r"'rain-{}' nor 'norain-{}': '.*/rainstreak-1"):
        assert build(tmp_path, 'rain-{}', 'norain-{}') == [
            ('rain-1.png', 'norain-1.jpg')]
    with pytest.warns(UserWarning, match='x.png'):  # in two folders too
        write(tmp_path / 'in', 'rain-1.png', 'x.png')
        write(tmp_path / 'out', 'norain-1.png')
        build(tmp_path, 'rain-{}', 'norain-{}', dict(img='in', gt='out'))


def test_missing_partners_in_one_folder(tmp_path):
    write(tmp_path, '1_hazy.png', '1_GT.png', '2_hazy.png', '3_GT.png')
    with pytest.raises(DataError, match='2 problem') as error:
        build(tmp_path, '{}_hazy', '{}_GT')
    assert "2_hazy.png' has no partner" in str(error.value)
    assert "3_GT.png' has no partner" in str(error.value)


@pytest.mark.parametrize('img, gt, words', [
    ('{}_hazy', '{}_gt', "matches '{}_gt', the template of clean images; "
     "found '1_GT.png', '1_hazy.png'"),
    ('{}', '{}', "1_GT.png' matches both '{}' and '{}'"),
    ('1{}', '{}T', "1_GT.png' matches both '1{}' and '{}T'")])
def test_ambiguous_templates(tmp_path, img, gt, words):
    write(tmp_path, '1_hazy.png', '1_GT.png')
    with pytest.raises(DataError) as error:
        build(tmp_path, img, gt)
    assert words in str(error.value)
    assert f"degraded images named '{tmp_path}/{img}'" in str(
        error.value) or img == '{}'


@pytest.mark.parametrize('img, gt, words', [
    ('{}{}', '{}', 'once'), ('x', '{}', 'once'), ('{}', 'x', 'once'),
    ('{}_*', '{}_*', r"contain '\*'")])
def test_bad_templates(img, gt, words):
    with pytest.raises(ValueError, match=words):
        PairNames(img, gt)


def test_names_with_special_characters(tmp_path):
    names = 'a[1] (x)+_in.png', 'a[1] (x)+_out.png'
    write(tmp_path, *names)
    assert build(tmp_path, '{} (x)+_in', '{} (x)+_out') == [names]
