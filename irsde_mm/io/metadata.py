"""Metadata of photos: EXIF, color profile and resolution."""
import math
import warnings
from pathlib import Path
from typing import Optional, Union

from PIL import Image
from PIL.ExifTags import IFD, Base

from .decoding import ORIENTATION
from .reader import FORMATS
from .stored import StoredPhoto, open_stored

#: Tags that no longer apply to the result: the layout of the pixels in the
#: file (TIFF stores it among the EXIF tags), the meaning of their values, the
#: preview, and XMP, which repeats these.
LAYOUT = {
    ORIENTATION, Base.NewSubfileType, Base.SubfileType, Base.ImageWidth,
    Base.ImageLength, Base.BitsPerSample, Base.Compression,
    Base.PhotometricInterpretation, Base.Thresholding, Base.CellWidth,
    Base.CellLength, Base.FillOrder, Base.StripOffsets, Base.SamplesPerPixel,
    Base.RowsPerStrip, Base.StripByteCounts, Base.MinSampleValue,
    Base.MaxSampleValue, Base.PlanarConfiguration, Base.FreeOffsets,
    Base.FreeByteCounts, Base.GrayResponseUnit, Base.GrayResponseCurve,
    Base.T4Options, Base.T6Options, Base.PageNumber, Base.TransferFunction,
    Base.Predictor, Base.ColorMap, Base.HalftoneHints, Base.TileWidth,
    Base.TileLength, Base.TileOffsets, Base.TileByteCounts, Base.SubIFDs,
    Base.InkSet, Base.ExtraSamples, Base.SampleFormat, Base.JPEGTables,
    Base.JpegIFOffset, Base.JpegIFByteCount, Base.YCbCrCoefficients,
    Base.YCbCrSubSampling, Base.YCbCrPositioning, Base.ReferenceBlackWhite,
    Base.XMLPacket, Base.InterColorProfile, Base.SMinSampleValue,
    Base.SMaxSampleValue, Base.LinearizationTable, Base.BlackLevelRepeatDim,
    Base.BlackLevel, Base.BlackLevelDeltaH, Base.BlackLevelDeltaV,
    Base.WhiteLevel}
SIZES = {Base.ExifImageWidth, Base.ExifImageHeight}
#: Color space of an ICC profile (its bytes 16 to 19) by number of channels.
PROFILES = {1: b'GRAY', 3: b'RGB '}
MAX_DPI = 2**31 * 0.0254  # the largest that PNG can store


def read_metadata(source: Union[Path, StoredPhoto, Image.Image],
                  channels: int) -> dict:
    """Read EXIF, color profile and resolution as options of ``Image.save``.

    Metadata that applies only to the original file is dropped: the pixel
    layout, the orientation (results are upright) and the preview. A profile
    for another color space, such as that of a CMYK photo, is dropped too.
    Unreadable metadata does not stop a restoration; it is dropped with a
    warning.

    Args:
        source (Path | StoredPhoto | Image): A readable file or a PIL image.
        channels (int): Channels of the image to be written, 1 or 3.

    Returns:
        dict: ``exif``, ``icc_profile`` (bytes) and ``dpi`` (x, y), each only
        if present.
    """
    try:
        if isinstance(source, Image.Image):
            return _metadata(source, channels)
        with open_stored(source) as file, Image.open(
                file, formats=FORMATS) as image:
            return _metadata(image, channels)
    except Exception as error:  # malformed EXIF raises many exception types
        name = 'the image' if isinstance(source, Image.Image) else repr(
            str(source))
        warnings.warn(f'{name}: the metadata cannot be read and is dropped '
                      f'({type(error).__name__}).', stacklevel=2)
        return {}


def _metadata(image: Image.Image, channels: int) -> dict:
    profile = image.info.get('icc_profile')
    if profile is not None and profile[16:20] != PROFILES[channels]:
        profile = None
    found = dict(exif=_exif(image), icc_profile=profile, dpi=_dpi(image))
    return {key: value for key, value in found.items() if value}


def _exif(image: Image.Image) -> Optional[bytes]:
    exif = Image.Exif()  # a copy, so the caller's image is unchanged
    exif.load(image.getexif().tobytes())
    for tag in LAYOUT & set(exif):
        del exif[tag]
    if IFD.Exif in exif:
        exif[IFD.Exif] = {tag: value for tag, value in exif.get_ifd(
            IFD.Exif).items() if tag not in SIZES}
    return exif.tobytes() if len(exif) else None


def _dpi(image: Image.Image) -> Optional[tuple]:
    dpi = tuple(map(float, image.info.get('dpi', ())))
    valid = all(math.isfinite(x) and 0 < x < MAX_DPI for x in dpi)
    return dpi if len(dpi) == 2 and valid else None
