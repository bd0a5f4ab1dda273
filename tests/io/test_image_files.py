"""Finding image files by name."""
import os
from pathlib import Path

import pytest
from conftest import run_tool
from irsde_mm.io.photos import find_images
from irsde_mm.datasets import CleanImageDataset, PairedImageDataset
from irsde_mm.io.image_files import list_images
from irsde_mm.datasets.transforms import Haze, KeepMask
from irsde_mm.errors import DataError
from PIL import Image

#: A file that macOS writes next to a photo on foreign file systems.
APPLE_DOUBLE = b'\0\5\x16\7\0\2\0\0Mac OS X        '


def image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', (70, 70), 'white').save(path)


@pytest.fixture
def folder(tmp_path):
    """Pairs, masks and photos from a Mac, each with its AppleDouble file."""
    for name in ('input/a.png', 'target/a.png', 'b.png', 'c.png'):
        image(tmp_path / name)
        path = tmp_path / name
        path.with_name(f'._{path.name}').write_bytes(APPLE_DOUBLE)
    (tmp_path / '.hidden.png').write_bytes(b'')
    image(tmp_path / '.thumbnails' / 'b.png')
    return tmp_path


def test_datasets_and_masks(folder):
    names = [path.name for path in list_images(folder)]
    assert names == ['b.png', 'c.png']
    assert len(CleanImageDataset(str(folder))) == 2
    assert len(PairedImageDataset(str(folder))) == 1
    assert len(KeepMask(str(folder)).files) == 2
    assert set(Haze(depth_folder=str(folder)).maps) == {'b', 'c'}
    for path in folder.glob('[bc].png'):
        path.unlink()
    with pytest.raises(DataError, match='contains no images'):
        list_images(folder)


@pytest.mark.parametrize('pattern, found', [
    ('', 'b.png c.png'), ('*.png', 'b.png c.png'), ('?b.png', None),
    ('**/*.png', 'b.png c.png input/a.png target/a.png'),
    ('*/*.png', 'input/a.png target/a.png'),
    ('.thumbnails', '.thumbnails/b.png'),
    ('.thumbnails/*.png', '.thumbnails/b.png'),
    ('.th*/*.png', '.thumbnails/b.png'), ('._b.png', '._b.png'),
    ('input/../*.png', 'input/../b.png input/../c.png')])
def test_folders_and_patterns_match_as_in_a_shell(folder, pattern, found):
    """A file given by its exact name is taken, even a hidden one."""
    if found is None:
        with pytest.raises(DataError, match='no image found'):
            find_images([folder / pattern])
    else:
        assert [os.path.relpath(path, folder) if '..' not in pattern else
                str(path.relative_to(folder))
                for path in find_images([str(folder / pattern)])
                ] == found.split()


def test_restoring_a_folder_from_a_mac(folder, trained, tmp_path, capfd):
    assert run_tool('restore', folder, '--model', trained, '--out',
                    tmp_path / 'out') == 0
    assert 'not be restored' not in capfd.readouterr().err
    assert {p.name for p in (tmp_path / 'out').iterdir()} == {
        'b.png', 'c.png'}
