"""Small images in every supported and refused file format."""
import io
from typing import Callable, Dict, NamedTuple, Optional

import cv2
import numpy as np
from PIL import Image

ORIENTATION = 0x0112
# transform of the stored pixels for each EXIF orientation
UPRIGHT: Dict[int, Callable] = {
    1: lambda x: x, 2: lambda x: x[:, ::-1], 3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1], 5: lambda x: x.swapaxes(0, 1),
    6: lambda x: x.swapaxes(0, 1)[:, ::-1],
    7: lambda x: x[::-1, ::-1].swapaxes(0, 1),
    8: lambda x: x.swapaxes(0, 1)[::-1]}


class Kind(NamedTuple):
    """Content of an image file and the expected result of reading it."""
    content: bytes
    suffix: str
    truth: Optional[np.ndarray] = None  # (H, W, 3) RGB
    refused: str = ''  # part of the error message
    tolerance: int = 0  # largest difference due to compression


def pixels(h: int = 21, w: int = 34) -> np.ndarray:
    """Return an image without symmetry, smooth enough for JPEG."""
    y, x = np.mgrid[:h, :w]
    return np.stack([255 * x // max(w - 1, 1), 255 * y // max(h - 1, 1),
                     40 + 3 * x + 4 * y], axis=2).clip(0, 255).astype(
                         np.uint8)


def encode(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif(orientation: int) -> Image.Exif:
    data = Image.Exif()
    data[ORIENTATION] = orientation
    return data


def _readable() -> Dict[str, Kind]:
    rgb = pixels()
    image = Image.fromarray(rgb)
    grey = image.convert('L')
    three = np.stack((np.asarray(grey), ) * 3, axis=2)
    cmyk = 255 - np.dstack((rgb, np.full(rgb.shape[:2], 255, np.uint8)))
    palette = image.quantize(64)
    bit = grey.convert('1')
    fine = dict(quality=100, subsampling=0)
    kinds = dict(
        rgb_png=Kind(encode(image, 'PNG'), '.png', rgb),
        rgb_bmp=Kind(encode(image, 'BMP'), '.bmp', rgb),
        rgb_tif=Kind(encode(image, 'TIFF'), '.tif', rgb),
        rgb_tif_lzw=Kind(encode(image, 'TIFF', compression='tiff_lzw'),
                         '.tif', rgb),
        rgb_jpg=Kind(encode(image, 'JPEG', **fine), '.jpg', rgb, '', 6),
        progressive_jpg=Kind(encode(image, 'JPEG', progressive=True, **fine),
                             '.jpg', rgb, '', 6),
        icc_jpg=Kind(encode(image, 'JPEG', icc_profile=b'x' * 200, **fine),
                     '.jpg', rgb, '', 6),
        rgb_webp=Kind(encode(image, 'WEBP', lossless=True), '.webp', rgb),
        cmyk_jpg=Kind(encode(Image.fromarray(cmyk, 'CMYK'), 'JPEG', **fine),
                      '.jpg', rgb, '', 8),
        cmyk_tif=Kind(encode(Image.fromarray(cmyk, 'CMYK'), 'TIFF'), '.tif',
                      rgb),
        grey_png=Kind(encode(grey, 'PNG'), '.png', three),
        grey_jpg=Kind(encode(grey, 'JPEG', **fine), '.jpg', three, '', 4),
        palette_png=Kind(encode(palette, 'PNG'), '.png',
                         np.asarray(palette.convert('RGB'))),
        palette_gif=Kind(encode(palette, 'GIF'), '.gif',
                         np.asarray(palette.convert('RGB'))),
        bit_png=Kind(encode(bit, 'PNG'), '.png',
                     np.asarray(bit.convert('RGB'))),
        bit_tif=Kind(encode(bit, 'TIFF', compression='group4'), '.tif',
                     np.asarray(bit.convert('RGB'))),
        opaque_png=Kind(encode(image.convert('RGBA'), 'PNG'), '.png', rgb),
        opaque_webp=Kind(encode(image.convert('RGBA'), 'WEBP',
                                lossless=True), '.webp', rgb),
        opaque_grey_png=Kind(encode(grey.convert('LA'), 'PNG'), '.png',
                             three),
        one_pixel_png=Kind(encode(Image.fromarray(rgb[:1, :1]), 'PNG'),
                           '.png', rgb[:1, :1]),
        wide_png=Kind(encode(Image.fromarray(pixels(10, 20_000)), 'PNG'),
                      '.png', pixels(10, 20_000)),
        tall_png=Kind(encode(Image.fromarray(pixels(20_000, 10)), 'PNG'),
                      '.png', pixels(20_000, 10)))
    for o, turn in UPRIGHT.items():
        for suffix, kind, options in (
                ('.jpg', 'JPEG', fine), ('.png', 'PNG', {}),
                ('.tif', 'TIFF', {}), ('.webp', 'WEBP', dict(lossless=True))):
            kinds[f'exif_{o}_{suffix[1:]}'] = Kind(
                encode(image, kind, exif=exif(o), **options), suffix,
                turn(rgb), '', 6 if kind == 'JPEG' else 0)
    return kinds


def _deep() -> Dict[str, Kind]:
    """Return images with 16 bits per channel."""
    deep = pixels().astype(np.uint16) * 257
    kinds = {}
    for suffix in ('.png', '.tif'):
        for name, values in (('rgb16', deep), ('grey16', deep[..., 0])):
            done, content = cv2.imencode(
                suffix, values[..., ::-1] if values.ndim == 3 else values)
            assert done
            truth = (values >> 8).astype(np.uint8)
            kinds[f'{name}_{suffix[1:]}'] = Kind(
                content.tobytes(), suffix, truth if truth.ndim == 3
                else np.stack((truth, ) * 3, axis=2))
    return kinds


def _refused() -> Dict[str, Kind]:
    rgb = pixels()
    image = Image.fromarray(rgb)
    other = Image.fromarray(rgb[::-1])
    clear = Image.fromarray(np.dstack((rgb, rgb[..., 0])))
    twice = dict(save_all=True, append_images=[other])
    deep = Image.fromarray(rgb[..., 0].astype(np.int32))
    kinds = dict(
        transparent_png=(encode(clear, 'PNG'), '.png', 'transparent'),
        transparent_webp=(encode(clear, 'WEBP'), '.webp', 'transparent'),
        transparent_grey_png=(encode(clear.convert('LA'), 'PNG'), '.png',
                              'transparent'),
        transparent_palette_png=(
            encode(image.quantize(8), 'PNG', transparency=3), '.png',
            'transparent'),
        animated_gif=(encode(image, 'GIF', **twice), '.gif', 'several images'),
        animated_webp=(encode(image, 'WEBP', **twice), '.webp',
                       'several images'),
        animated_png=(encode(image, 'PNG', **twice), '.png', 'several images'),
        pages_tif=(encode(image, 'TIFF', **twice), '.tif', 'several images'),
        float_tif=(encode(deep.convert('F'), 'TIFF'), '.tif', '8 or 16'),
        int_tif=(encode(deep, 'TIFF'), '.tif', '8 or 16'),
        empty_png=(b'', '.png', 'empty'),
        text_png=(b'This is a text.\n', '.png', 'readable'),
        half_png=(encode(image, 'PNG')[:-60], '.png', 'readable'),
        half_jpg=(encode(image, 'JPEG')[:-60], '.jpg', 'readable'),
        bomb_png=(bomb(encode(image, 'PNG'), 100_000, 100_000), '.png',
                  'max_pixels'))
    return {name: Kind(content, suffix, refused=word)
            for name, (content, suffix, word) in kinds.items()}


def bomb(png: bytes, width: int, height: int) -> bytes:
    """Return a PNG whose header declares another size."""
    import struct
    import zlib
    header = b'IHDR' + struct.pack('>II', width, height) + png[24:29]
    return png[:12] + header + struct.pack('>I', zlib.crc32(header)) + png[
        33:]


KINDS = {**_readable(), **_deep(), **_refused()}
