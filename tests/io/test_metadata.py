"""Metadata of a photo that also hold for its result are kept."""
import io

import numpy as np
import pytest
from conftest import run_tool
from irsde_mm.io.metadata import read_metadata
from PIL import Image, ImageCms
from PIL.ExifTags import GPS, IFD, Base

RGB = ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB')).tobytes()
GRAY = RGB[:16] + b'GRAY' + RGB[20:]
PIXELS = np.random.default_rng(0).integers(0, 256, (20, 31, 3),
                                           dtype=np.uint8)


def exif() -> Image.Exif:
    """Return the EXIF data of a camera held sideways."""
    found = Image.Exif()
    found[Base.Orientation] = 6
    found[Base.Make] = 'Maker'
    found[Base.Copyright] = 'Somebody'
    found[Base.DateTime] = '2024:05:06 07:08:09'
    found[IFD.Exif] = {Base.ExposureTime: 0.01, Base.ExifImageWidth: 31,
                       Base.ExifImageHeight: 20}
    found[IFD.GPSInfo] = {GPS.GPSLatitudeRef: 'N',
                          GPS.GPSLatitude: (52., 30., 1.5)}
    written = Image.Exif()  # as after reading: PIL saves only that in TIFF
    written.load(found.tobytes())
    return written


@pytest.mark.parametrize('ending', ['jpg', 'png', 'tif', 'webp'])
def test_metadata_are_kept_but_not_the_orientation(ending, trained, tmp_path):
    photo = tmp_path / f'photo.{ending}'
    Image.fromarray(PIXELS).save(photo, exif=exif(), icc_profile=RGB,
                                 dpi=(300, 200))
    assert run_tool('restore', photo, '--model', trained, '--out',
                    tmp_path / 'out', '--samples', 2, '--compare') == 0
    for name in ('photo_1', 'photo_2'):
        with Image.open(tmp_path / 'out' / f'{name}.png') as result:
            assert result.size == (20, 31), 'rotated upright'
            assert result.info['icc_profile'] == RGB
            if ending != 'webp':  # WebP stores no resolution
                assert result.info['dpi'] == pytest.approx((300, 200), 1e-4)
            kept = result.getexif()
    assert kept[Base.Make] == 'Maker' and kept[Base.Copyright] == 'Somebody'
    assert kept.get_ifd(IFD.GPSInfo)[GPS.GPSLatitude] == (52., 30., 1.5)
    assert kept.get_ifd(IFD.Exif) == {Base.ExposureTime: 0.01}
    for tag in (Base.Orientation, Base.ImageWidth, Base.StripOffsets,
                Base.Compression, Base.InterColorProfile):
        assert tag not in kept
    with Image.open(tmp_path / 'out' / 'photo_compare.png') as picture:
        assert picture.info['icc_profile'] == RGB
        assert not len(picture.getexif())
    with Image.open(tmp_path / 'out' / 'photo_spread.png') as picture:
        assert 'icc_profile' not in picture.info


def test_metadata_of_the_input_are_not_modified():
    picture = Image.fromarray(PIXELS)
    picture.getexif()[Base.Orientation] = 6
    picture.getexif()[Base.Make] = 'Maker'
    found = read_metadata(picture, 3)
    kept = Image.Exif()
    kept.load(found['exif'])
    assert dict(kept) == {Base.Make: 'Maker'}
    assert picture.getexif()[Base.Orientation] == 6


@pytest.mark.parametrize('profile, channels, kept', [
    (RGB, 3, True), (GRAY, 1, True), (GRAY, 3, False), (RGB, 1, False),
    (b'short', 3, False)])
def test_profiles_of_other_color_spaces_are_dropped(profile, channels, kept):
    picture = Image.fromarray(PIXELS)
    picture.info['icc_profile'] = profile
    assert ('icc_profile' in read_metadata(picture, channels)) == kept


@pytest.mark.parametrize('dpi', [(0, 0), (-1, 300), (float('nan'), 1.),
                                 (1e12, 1e12), (300, )])
def test_invalid_resolutions_are_dropped(dpi):
    picture = Image.fromarray(PIXELS)
    picture.info['dpi'] = dpi
    assert read_metadata(picture, 3) == {}


def test_malformed_metadata_are_ignored(trained, tmp_path, capfd):
    """EXIF entries that point outside of the block."""
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, 'JPEG', exif=exif())
    data = file.getvalue()
    start = data.index(b'Exif\0\0') + 6
    rng = np.random.default_rng(0)
    (tmp_path / 'in').mkdir()
    for i in range(20):
        bad = bytearray(data)
        for place in rng.integers(start, start + 120, 12):
            bad[place] = rng.integers(256)
        (tmp_path / 'in' / f'{i}.jpg').write_bytes(bad)
    assert run_tool('restore', tmp_path / 'in', '--model', trained, '--out',
                    tmp_path / 'out') == 0
    assert len(list((tmp_path / 'out').iterdir())) == 20
    assert 'Traceback' not in capfd.readouterr().err
