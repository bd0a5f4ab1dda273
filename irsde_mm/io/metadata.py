"""What a photo says of itself beside its pixels: EXIF, colours, density."""
import math
import warnings
from pathlib import Path
from typing import Optional, Union

from PIL import Image
from PIL.ExifTags import IFD, Base

from .decoding import ORIENTATION
from .reader import FORMATS

#: How pixels lie in their file (TIFF keeps it in the same list), what their
#: values mean, a preview and XMP, which repeats it: none of it is true of the
#: result.
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
#: Colours of an ICC profile (bytes 16 to 19 of it) by channels of an image.
PROFILES = {1: b'GRAY', 3: b'RGB '}
MOST_DPI = 2**31 * 0.0254  # that PNG has room for


def read_metadata(source: Union[Path, Image.Image], channels: int) -> dict:
    """EXIF, colour profile and density of a photo, as ``Image.save`` takes
    them.

    What was true of the file alone is left out: how pixels lie in it, which
    way is up (results are upright), a preview. So is a profile for other
    colours, such as that of a CMYK photo. Nothing that is wrong with any of
    it stops a restoration: it is left out with a warning.

    Args:
        source (Path | Image): A file that can be read, or a picture of PIL's.
        channels (int): Of the image that will be written, 1 or 3.

    Returns:
        dict: ``exif``, ``icc_profile`` (bytes) and ``dpi`` (x, y), those that
        there are.
    """
    try:
        if isinstance(source, Image.Image):
            return _metadata(source, channels)
        with Image.open(source, formats=FORMATS) as image:
            return _metadata(image, channels)
    except Exception as error:  # malformed EXIF raises all kinds
        name = repr(str(source)) if isinstance(source, Path) else 'the image'
        warnings.warn(f'{name}: its metadata cannot be read and are left out '
                      f'({type(error).__name__}).', stacklevel=2)
        return {}


def _metadata(image: Image.Image, channels: int) -> dict:
    profile = image.info.get('icc_profile')
    if profile is not None and profile[16:20] != PROFILES[channels]:
        profile = None
    found = dict(exif=_exif(image), icc_profile=profile, dpi=_dpi(image))
    return {key: value for key, value in found.items() if value}


def _exif(image: Image.Image) -> Optional[bytes]:
    exif = Image.Exif()  # a copy, the caller's stays
    exif.load(image.getexif().tobytes())
    for tag in LAYOUT & set(exif):
        del exif[tag]
    if IFD.Exif in exif:
        exif[IFD.Exif] = {tag: value for tag, value in exif.get_ifd(
            IFD.Exif).items() if tag not in SIZES}
    return exif.tobytes() if len(exif) else None


def _dpi(image: Image.Image) -> Optional[tuple]:
    dpi = tuple(map(float, image.info.get('dpi', ())))
    good = all(math.isfinite(x) and 0 < x < MOST_DPI for x in dpi)
    return dpi if len(dpi) == 2 and good else None
