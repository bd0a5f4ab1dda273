"""Patches are cut from images and paired as the images are."""
import cv2
import numpy as np
import pytest
from conftest import run_tool
from irsde_mm.datasets import PairedImageDataset

CONFIG = """
train_dataloader = dict(batch_size=1, dataset=dict(
    type='irsde_mm.{}', min_size=8, {}))
"""


def images(folder, names, height, width, seed=0):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    found = {}
    for name in names:
        found[name] = rng.integers(256, size=(height, width, 3),
                                   dtype=np.uint8)
        cv2.imwrite(str(folder / f'{name}.png'), found[name])
    return found


def cut(tmp_path, kind, options, *args):
    path = tmp_path / 'config.py'
    path.write_text(CONFIG.format(kind, options))
    return run_tool('prepare_data', 'patches', '--config', path, '--out',
                    tmp_path / 'out', *args)


def test_patches_cover_clean_images(tmp_path):
    whole = images(tmp_path / 'a', ['x', 'y'], 20, 33)
    assert cut(tmp_path, 'CleanImageDataset',
               f"data_root='{tmp_path / 'a'}'", '--size', 16, '--stride',
               10) == 0
    seen = {name: np.zeros((20, 33), bool) for name in whole}
    files = list((tmp_path / 'out').iterdir())
    assert len(files) == 2 * 2 * 3
    for path in files:
        y, x, name = path.stem.split('-')
        y, x = int(y), int(x)
        np.testing.assert_array_equal(cv2.imread(str(path)),
                                      whole[name][y:y + 16, x:x + 16])
        seen[name][y:y + 16, x:x + 16] = True
    assert all(mask.all() for mask in seen.values())


@pytest.mark.parametrize('templates, img, gt', [
    ({}, ['a', 'b'], ['a', 'b']),
    (dict(img='rain-{}', gt='norain-{}'), ['rain-1'], ['norain-1']),
    (dict(img='{}_*', gt='{}'), ['1_1_0.9', '1_2_0.8'], ['1'])])
@pytest.mark.parametrize('scale', [1, 4])
def test_patches_of_pairs(tmp_path, templates, img, gt, scale):
    low = images(tmp_path / 'a/input', img, 12, 16)
    high = images(tmp_path / 'a/target', gt, 12 * scale, 16 * scale, 1)
    assert cut(tmp_path, 'PairedImageDataset',
               f"data_root='{tmp_path / 'a'}', scale={scale}, "
               f'templates={templates}', '--size', 8 * scale, '--stride',
               4 * scale) == 0
    made = PairedImageDataset(
        str(tmp_path / 'out'), dict(img='img', gt='gt'), templates=templates,
        scale=scale)
    assert len(made) == len(img) * 2 * 3
    for info in made:
        small, large = (cv2.imread(info[f'{key}_path'])
                        for key in ('img', 'gt'))
        assert small.shape == (8, 8, 3)
        assert large.shape == (8 * scale, 8 * scale, 3)
        y, x = (int(n) for n in info['gt_path'].split('/')[-1].replace(
            'norain-', '').split('-')[:2])
        assert any((high[name][y:y + 8 * scale, x:x + 8 * scale]
                    == large).all() for name in gt)
        y, x = y // scale, x // scale
        assert any((low[name][y:y + 8, x:x + 8] == small).all()
                   for name in img)


def test_pairs_in_one_folder(tmp_path):
    images(tmp_path / 'a', ['1_in', '1_out'], 12, 16)
    templates = dict(img='{}_in', gt='{}_out')
    assert cut(tmp_path, 'PairedImageDataset',
               f"data_root='{tmp_path / 'a'}', templates={templates}, "
               "data_prefix=dict(img='', gt='')", '--size', 8, '--stride',
               4) == 0
    made = PairedImageDataset(str(tmp_path / 'out'), dict(img='img', gt='gt'),
                              templates=templates)
    assert len(made) == 2 * 3


def test_refused_arguments(tmp_path, error):
    images(tmp_path / 'a', ['x'], 20, 33)
    path = tmp_path / 'config.py'
    path.write_text(CONFIG.format('CleanImageDataset',
                                  f"data_root='{tmp_path / 'a'}'"))
    args = 'prepare_data', 'patches', '--out'
    assert '--config is required' in error(*args, tmp_path / 'out')
    assert 'at least 8' in error(*args, tmp_path / 'out', '--config', path,
                                 '--size', 4)
    assert 'exists' in error(*args, tmp_path, '--config', path, '--size', 8)
    assert 'not read image files' in error(
        *args, tmp_path / 'out', '--config', 'quickstart/derain')
    assert not (tmp_path / 'out').exists()
