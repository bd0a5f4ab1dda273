"""Encoders of ffmpeg with settings of a high quality."""
from pathlib import Path
from typing import List, Sequence, Tuple

from PIL import Image

QUALITY = ('-q:v', '2')
#: Options by the name of the codec.
ENCODERS = dict(
    h264=('libx264', '-crf', '16'),
    hevc=('libx265', '-crf', '18', '-x265-params', 'log-level=error'),
    vp8=('libvpx', '-crf', '6', '-b:v', '50M'),
    vp9=('libvpx-vp9', '-crf', '20', '-b:v', '0', '-row-mt', '1'),
    av1=('libaom-av1', '-crf', '20', '-cpu-used', '6', '-row-mt', '1'),
    theora=('libtheora', '-q:v', '10'), prores=('prores_ks', '-profile:v',
                                                'hq'),
    ffv1=('ffv1', '-level', '3'), wrapped_avframe=('rawvideo', ),
    **{name: (name, *QUALITY) for name in (
        'mpeg4', 'mjpeg', 'mpeg1video', 'mpeg2video', 'wmv1', 'wmv2',
        'msmpeg4v2', 'msmpeg4v3', 'flv1')},
    **{name: (name, ) for name in (
        'rawvideo', 'huffyuv', 'ffvhuff', 'utvideo', 'png', 'qtrle')})
#: Codec of a container for codecs that cannot be written.
DEFAULT, DEFAULTS = 'h264', {'.webm': 'vp9', '.avi': 'mpeg4'}


def encoder_options(codec: str, extension: str) -> Tuple[List[str], str]:
    """Return the options for the codec of a video.

    Args:
        codec (str): As ffmpeg names it.
        extension (str): Extension of the result, such as '.mp4'.

    Returns:
        (options, warning): The warning is '' if the codec is kept.
    """
    warning = ''
    if extension == '.y4m':
        return ['-c:v', 'wrapped_avframe'], warning
    if codec not in ENCODERS:
        other = DEFAULTS.get(extension, DEFAULT)
        warning = f'is written as {other}, because {codec} cannot be written.'
        codec = other
    options = ['-c:v', *ENCODERS[codec]]
    if codec == 'hevc' and extension in ('.mp4', '.mov'):
        options += ['-tag:v', 'hvc1']  # what QuickTime plays
    return options, warning


def pixel_format(name: str, encoder: Sequence[str], frame: Path) -> str:
    """Return the pixel format with 8 bits for that of a video.

    If the encoder does not support it, ffmpeg takes the most similar one.

    Args:
        name (str): Pixel format of the video.
        encoder: See :func:`encoder_options`.
        frame (Path): A restored frame.
    """
    with Image.open(frame) as image:
        odd = image.width % 2 or image.height % 2
    if name.startswith(('gray', 'mono')):
        kind = 'gray'
    elif name.startswith('yuvj'):
        kind = name
    else:
        kind = next((f'yuv{n}p' for n in ('420', '422', '444', '440', '411',
                                          '410') if n in name), None)
        if kind is None:
            kind = 'yuv420p' if name.startswith(('nv12', 'nv21', 'p01')) \
                else 'yuv422p' if name.startswith(('yuyv', 'uyvy', 'nv16')) \
                else 'bgr0' if encoder[1] in ('ffv1', 'huffyuv') else 'gbrp' \
                if encoder[1] == 'utvideo' else 'rgb24'
    if odd and encoder[1] in ('libx264', 'libx265') and kind[3:6] != '444':
        return 'yuv444p'
    return kind
