"""Running the program ffmpeg, which the package imageio-ffmpeg brings."""
import re
import subprocess
import tempfile
from bisect import bisect_left
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Iterable, Iterator, List, NamedTuple, Tuple

import numpy as np

from ..errors import ConfigError, OutputError, missing_package

#: Options before an input: no other file or address that it names is opened,
#: as a playlist would.
SAFE = ('-protocol_whitelist', 'file,pipe', '-format_whitelist',
        'mov,matroska,avi,yuv4mpegpipe')
#: Options that drop a damaged frame instead of hiding the damage, with one
#: thread, so that the same frames remain every time.
STRICT = ('-fflags', '+discardcorrupt', '-err_detect',
          '+crccheck+bitstream+buffer+explode', '-threads', '1')
#: Frames as they are, without repeating some to fill gaps.
VIDEO = ('-map', '0:V:0', '-fps_mode', 'passthrough')
ERROR = re.compile(r'\[(?:error|fatal|warning(?=] Packet corrupt))\] (.*)')
#: Starts of lines that do not concern the input, and of lines about the file
#: and not the frames in it.
OUTPUT, FILE = ('[out', '[vost', '[null', '[framecrc'), '[in'


class Packet(NamedTuple):
    """Time of a frame in ticks, and its size in bytes."""

    time: int
    size: int


def program() -> str:
    """Return the path of ffmpeg.

    Raises:
        ConfigError: If the extra video is not installed.
    """
    try:
        import imageio_ffmpeg
    except ImportError as error:
        raise missing_package(error) from error
    try:
        return imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise ConfigError('imageio-ffmpeg has no ffmpeg for this machine: '
                          'install ffmpeg.') from error


def source(path: Path) -> List[str]:
    """Return the options that open a file as input."""
    return [*SAFE, '-i', f'file:{path}']


def run(*arguments: str, level: str = 'info') -> Tuple[str, List[str]]:
    """Run ffmpeg; return its output, and the lines of its log."""
    done = subprocess.run(
        [program(), '-hide_banner', '-nostdin', '-loglevel', f'level+{level}',
         *arguments], capture_output=True)
    out, log = (part.decode(errors='replace')
                for part in (done.stdout, done.stderr))
    return out, log.splitlines()


def reason(lines: Iterable[str], default: str = '') -> str:
    """Return the first error in the lines of a log, or a default."""
    found = (ERROR.search(line) for line in lines
             if not line.startswith(OUTPUT))
    return next((match[1].strip(' .') for match in found if match), default)


def decode(path: Path, size: Tuple[int, int]) -> Iterator[np.ndarray]:
    """Yield the frames of a video in order, (H, W, 3) uint8 BGR.

    Args:
        path (Path): A file that :func:`decoded` has checked.
        size (tuple[int, int]): Height and width of its frames.
    """
    h, w = size
    command = [program(), '-loglevel', 'quiet', '-nostdin', *STRICT,
               *source(path), *VIDEO, '-vf', 'scale=flags=bicubic+accurate_rnd'
               '+full_chroma_int', '-pix_fmt', 'bgr24', '-f', 'rawvideo', '-']
    with running(command, stdin=subprocess.DEVNULL,
                 stdout=subprocess.PIPE) as process:
        while len(data := process.stdout.read(h * w * 3)) == h * w * 3:
            yield np.frombuffer(bytearray(data), np.uint8).reshape(h, w, 3)


def decoded(path: Path) -> Tuple[List[Packet], List[str]]:
    """Decode a video without keeping the frames.

    Returns:
        (frames, log): The time and size of each frame that is not damaged,
        and lines with errors.
    """
    out, lines = run(*STRICT, *source(path), *VIDEO, '-c:v', 'rawvideo',
                     '-enc_time_base', 'demux', '-f', 'framecrc', '-',
                     level='warning')
    return rows(out), [line for line in lines if reason([line])]


def packets(path: Path) -> List[Packet]:
    """Return the time and size of each frame in a video file, in the order in
    which they are decoded, without decoding them."""
    return rows(run(*source(path), '-map', '0:V:0', '-c', 'copy', '-f',
                    'framecrc', '-')[0])


def rows(text: str) -> List[Packet]:
    """Parse the output of the format framecrc."""
    found = [line.split(',') for line in text.splitlines()
             if not line.startswith('#')]
    return [Packet(int(row[2]), int(row[4])) for row in found]


def first_damaged(path: Path, number: int) -> int:
    """Return the index of the first packet whose decoding fails.

    The log does not tell the frame, so this bisects.

    Args:
        path (Path): A video whose decoder logs an error.
        number (int): Number of its packets.
    """
    return bisect_left(range(number), True,
                       key=lambda i: fails(path, i + 1)) \
        if fails(path, number) else 0


def fails(path: Path, number: int) -> bool:
    """Return True if the decoder logs an error for the first packets."""
    copy = [program(), '-loglevel', 'quiet', '-nostdin', *source(path),
            '-map', '0:V:0', '-c', 'copy', '-frames:v', str(number), '-f',
            'nut', '-']
    with running(copy, stdout=subprocess.PIPE) as packets:
        done = subprocess.run(
            [program(), '-loglevel', 'level+error', *STRICT, '-f', 'nut',
             '-i', 'pipe:0', *VIDEO, '-f', 'null', '-'],
            stdin=packets.stdout, capture_output=True)
    return any(reason([line]) for line in done.stderr.decode(
        errors='replace').splitlines() if not line.startswith(FILE))


@contextmanager
def running(command: List[str], **options) -> Iterator[subprocess.Popen]:
    """Start a program, and end it at the latest when the block ends."""
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()


def encode(pictures: Iterable[bytes], before: List[str], after: List[str],
           path: Path) -> None:
    """Write a video.

    Args:
        pictures: Its frames, each a PNG file or a part of an IVF file.
        before, after (list[str]): Options before and after the input of the
            frames, with those of the encoder and further inputs.
        path (Path): The file, which is overwritten.

    Raises:
        OutputError: If ffmpeg fails. The message does not name the result.
    """
    command = [program(), '-hide_banner', '-loglevel', 'level+error', '-y',
               *before, '-i', 'pipe:0', *after, f'file:{path}']
    with tempfile.TemporaryFile() as log:
        with running(command, stdin=subprocess.PIPE, stderr=log,
                     stdout=subprocess.DEVNULL) as process:
            with suppress(BrokenPipeError):  # its log says why
                for picture in pictures:
                    process.stdin.write(picture)
                process.stdin.close()
            code = process.wait()
        log.seek(0)
        lines = log.read().decode(errors='replace').splitlines()
    if code:
        errors = [match[1] for line in lines if (match := ERROR.search(line))]
        raise OutputError(errors[0].strip(' .') if errors else
                          f'ffmpeg ended with code {code}')


def rational(text: str) -> Fraction:
    """Convert '30000/1001' or '1:1' to a fraction; 0 if it is undefined."""
    above, below = map(int, re.split('[/:]', text))
    return Fraction(above, below) if below else Fraction(0)
