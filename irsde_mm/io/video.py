"""Video files: MP4, MOV, Matroska, WebM, AVI and Y4M."""
import re
import stat
import struct
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, takewhile
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np
from PIL import Image

from ..errors import ImageError
from . import ffmpeg
from .clips import Clip, ClipError
from .encoders import encoder_options, pixel_format
from .reader import MAX_PIXELS

EXTENSIONS = ('.mp4', '.mov', '.mkv', '.webm', '.avi', '.y4m')
CONFIG = re.compile(r'config in time_base: (\S+), frame_rate: (\S+)')
LOOK = re.compile(r' fmt:(\S+) .* sar:(\S+) s:(\d+)x(\d+) i:(\S)')
COLORS = re.compile(r', \w+\(([^)]*)\), \d+x\d+')
STREAM = re.compile(r'^\[info\]   Stream #0:\d+\S*: (\w+): (\w+)(.*)')
#: Pixel formats with transparency, and the mark of WebM.
ALPHA = re.compile('yuva|gbrap|ya|pal8|rgba|bgra|argb|abgr|ayuv|vuya')
ALPHA_MODE = re.compile(r'alpha_mode *: 1')
#: Transfer functions of high dynamic range, for which 8 bits are too few.
HDR = ('smpte2084', 'arib-std-b67')
UNKNOWN = ('unknown', 'reserved')
#: Color spaces that ffmpeg names once if primaries and transfer are the same.
SAME = ('bt709', 'smpte170m', 'smpte240m')


@dataclass(frozen=True)
class Look:
    """Properties of the frames of a video.

    Attributes:
        codec (str): Name of the codec, such as 'h264'.
        pixel_format (str): As ffmpeg names it, such as 'yuv420p'.
        aspect (Fraction): Width of a pixel divided by its height; 0 if it is
            not given.
        time_base (Fraction): Seconds per tick of the times.
        rate (Fraction): Frames per second; 0 if it is not given.
        colors (dict): ``color_range``, ``colorspace``, ``color_primaries``
            and ``color_trc``, each only if given.
    """

    codec: str
    pixel_format: str
    aspect: Fraction
    time_base: Fraction
    rate: Fraction
    colors: Dict[str, str]


class VideoClip(Clip):
    """A video file, decoded and encoded by ffmpeg.

    The result has the container of the file, its codec if ffmpeg can write
    it, the times, aspect ratio and colors of the frames, sound, subtitles and
    chapters. It has 8 bits per channel.

    Args:
        path (Path): The file.
        max_pixels (int): Videos with larger frames are rejected.

    Raises:
        ConfigError: If the extra video is not installed.
        ImageError: If the file is not a video that can be restored.
    """

    def __init__(self, path: Path, max_pixels: int = MAX_PIXELS) -> None:
        self.name, self.files = str(path), [path]
        self.path, self.target = path, Path(path.name)
        check_file(path)
        self.max_pixels = max_pixels
        _, lines = ffmpeg.run(*ffmpeg.source(path), *ffmpeg.VIDEO,
                              '-frames:v', '1', '-vf', 'showinfo=checksum=0',
                              '-f', 'null', '-')
        streams = [match for line in takewhile(
            lambda line: 'Stream mapping:' not in line, lines)
            if (match := STREAM.match(line))]
        self.size, self.look = self._look(lines, streams)
        self.encoder, warning = encoder_options(
            self.look.codec, path.suffix.lower())
        left = [f'{match[1]} ({match[2]})' for match in streams
                if match[1] in ('Data', 'Video')]
        left.remove(f'Video ({self.look.codec})')
        self.warnings = [*([warning] if warning else []), *(
            [f"leaves out these streams: {', '.join(left)}."] if left else [])]
        self.ticks, self.damage = self._decoded()
        self.length = len(self.ticks)

    def _look(self, lines: List[str], streams: List[re.Match]
              ) -> Tuple[Tuple[int, int], Look]:
        """Return the size and look of the first frame from the log.

        Raises:
            ImageError: If the file has no video, or it cannot be restored.
        """
        videos = [match for match in streams if match[1] == 'Video'
                  and 'attached pic' not in match[3]]
        if streams and not videos:
            raise ImageError(f'{self.name!r} contains no video.')
        text = '\n'.join(lines)
        config, look = CONFIG.search(text), LOOK.search(text)
        if not (config and look):
            raise ImageError(
                f'{self.name!r} is not a readable video (' + ffmpeg.reason(
                    lines, 'it contains no frames') + ').')
        colors = COLORS.search(videos[0][3])
        tags = color_tags(colors[1]) if colors else {}
        size = int(look[4]), int(look[3])
        problem = self._problem(look[1], look[5], tags.get('color_trc'), text)
        if size[0] * size[1] > self.max_pixels:
            problem = f'has frames of more than {self.max_pixels:,} pixels: ' \
                'if this is correct, raise max_pixels'
        if problem:
            raise ImageError(f'{self.name!r} {problem}.')
        return size, Look(
            videos[0][2], look[1], ffmpeg.rational(look[2]),
            ffmpeg.rational(config[1]), ffmpeg.rational(config[2]), tags)

    @staticmethod
    def _problem(pixels: str, order: str, transfer: Optional[str],
                 text: str) -> Optional[str]:
        """Return why the frames would not be restored as intended."""
        if ALPHA.match(pixels) or ALPHA_MODE.search(text):
            return ('can be transparent: convert it to a format without '
                    'transparency')
        if order != 'P':
            return ('is interlaced: deinterlace it first, for example with '
                    'the filter bwdif of ffmpeg')
        if transfer in HDR:
            return 'has a high dynamic range: convert it to 8 bits first'
        return None

    def _decoded(self) -> Tuple[List[int], Optional[str]]:
        """Decode the video once; return the times of the frames before any
        damage, in ticks, and what is damaged."""
        frames, errors = ffmpeg.decoded(self.path)
        packets, ticks = ffmpeg.packets(self.path), [f.time for f in frames]
        other = next((i for i, frame in enumerate(frames)
                      if frame.size != frames[0].size), None)
        if other is not None:
            return ticks[:other], 'its size differs'
        if errors:
            return (ticks[:self._intact(ticks, packets, errors)],
                    ffmpeg.reason(errors))
        if self.path.suffix.lower() == '.y4m' and packets:
            # ffmpeg does not report that the last frame is incomplete
            with open(self.path, 'rb') as file:
                complete = len(file.readline()) + len(packets) * (
                    len(file.readline(80)) + packets[0].size)
            if self.path.stat().st_size != complete:
                return ticks, 'the file is truncated'
        return ticks, None

    def _intact(self, ticks: List[int], packets: List[ffmpeg.Packet],
                errors: List[str]) -> int:
        """Return the number of frames before the first damage.

        A damaged frame is usually missing, and may be the reference of frames
        that are decoded later but shown earlier.
        """
        times, known = [packet.time for packet in packets], set(ticks)
        lost = next((i for i, time in enumerate(times) if time not in known
                     and time >= 0), None)  # cut off if negative
        if lost is None:
            if all(error.startswith(ffmpeg.FILE) for error in errors):
                return len(ticks)
            lost = ffmpeg.first_damaged(self.path, len(packets))
        return sum(tick < min(times[lost:], default=tick) for tick in ticks)

    def read(self) -> Iterator[np.ndarray]:
        number = 0
        for frame in islice(ffmpeg.decode(self.path, self.size), self.length):
            number += 1
            yield frame
        if number < self.length or self.damage:
            raise ClipError(self.name, number,
                            self.damage or 'the file changed')

    @property
    def constant(self) -> bool:
        """Whether the frames that were read follow at equal times, apart from
        rounding to ticks."""
        base, rate = self.look.time_base, self.look.rate
        if not rate:
            return False
        error = min(base, 1 / (4 * rate))
        return all(abs((tick - self.ticks[0]) * base - i / rate) <= error
                   for i, tick in enumerate(self.ticks))

    def write(self, frames: Sequence[Path], path: Path) -> None:
        look, kind, constant = (self.look, self.path.suffix.lower(),
                                self.constant)
        first, last = (self.ticks[i] * look.time_base
                       for i in (0, len(frames) - 1))
        before = ['-itsoffset', f'{float(first):.9f}']
        if constant:
            before += ['-f', 'image2pipe', '-framerate', str(look.rate),
                       '-c:v', 'png']
            pictures = (frame.read_bytes() for frame in frames)
        else:
            before += ['-f', 'ivf']
            pictures = self._with_times(frames)
        after = [*ffmpeg.source(self.path), '-map', '0:v', '-map', '1:a?',
                 '-map', '1:s?', '-map', '1:t?', '-map_metadata', '1',
                 '-map_chapters', '1', '-c', 'copy', *self.encoder,
                 '-pix_fmt', pixel_format(look.pixel_format, self.encoder,
                                          frames[0]), *self._appearance()]
        if kind == '.y4m':
            after += ['-strict', '-1', '-f', 'yuv4mpegpipe']
        if not constant:
            after += ['-fps_mode', 'passthrough', '-enc_time_base', 'demux']
            if kind in ('.mp4', '.mov'):
                after += ['-video_track_timescale',
                          str(look.time_base.denominator)]
        if self.damage:  # the sound ends with the picture
            end = last + (1 / look.rate if look.rate else look.time_base)
            after += ['-t', f'{float(end):.6f}']
        # without bitexact, Matroska contains random numbers
        ffmpeg.encode(pictures, before, [*after, '-fflags', '+bitexact'],
                      path)

    def _appearance(self) -> List[str]:
        """Return the options for aspect ratio and colors."""
        colors = self.look.colors
        scale = ':'.join(f'{key}={colors[name]}' for key, name in (
            ('out_color_matrix', 'colorspace'), ('out_range', 'color_range'))
            if name in colors and colors[name] != 'gbr')
        filters = [f'scale={scale}'] if scale else []
        if self.look.aspect:
            filters.append('setsar=' + str(self.look.aspect))
        found = ['-vf', ','.join(filters)] if filters else []
        for name, tag in colors.items():
            if tag != 'gbr':
                found += [f'-{name}', tag]
        return found

    def _with_times(self, frames: Sequence[Path]) -> Iterator[bytes]:
        """Yield an IVF file, whose frames have times of their own."""
        base = self.look.time_base
        with Image.open(frames[0]) as image:
            w, h = image.size
        yield b'DKIF' + struct.pack(
            '<HH4sHHIIII', 0, 32, b'MPNG', w, h, base.denominator,
            base.numerator, len(frames), 0)
        for frame, tick in zip(frames, self.ticks):
            picture = frame.read_bytes()
            yield struct.pack('<IQ', len(picture), tick - self.ticks[0])
            yield picture


def color_tags(text: str) -> Dict[str, str]:
    """Return the colors that ffmpeg prints after a pixel format, such as
    'tv, bt709/unknown/unknown, progressive', see :class:`Look`."""
    found = {}
    for part in text.split(', '):
        if part in ('tv', 'pc'):
            found['color_range'] = part
        elif '/' in part or part in SAME:
            names = part.split('/') if '/' in part else 3 * [part]
            found.update(zip(('colorspace', 'color_primaries', 'color_trc'),
                             names))
    return {key: name for key, name in found.items() if name not in UNKNOWN}


def check_file(path: Path) -> None:
    """Check that a path is a regular file.

    Raises:
        ImageError: If it is not, or cannot be looked up.
    """
    try:
        regular = stat.S_ISREG(path.stat().st_mode)
    except OSError as error:
        raise ImageError(f'{str(path)!r} is not readable '
                         f'({error.strerror}).') from None
    if not regular:
        raise ImageError(f'{str(path)!r} is a folder, pipe or device, not a '
                         'video.')
    if not path.stat().st_size:
        raise ImageError(f'{str(path)!r} is empty (0 bytes).')
