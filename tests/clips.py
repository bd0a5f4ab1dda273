"""Tiny clips for the tests, and their frames."""
import subprocess
from pathlib import Path
from typing import List

import cv2
import numpy as np
from irsde_mm.io import ffmpeg
from irsde_mm.io.finding_clips import open_clip

SIZE = (32, 40)  # height and width
#: Encoders that keep the frames well, by extension.
ENCODERS = {'.mp4': ['libx264', '-crf', '1', '-bf', '2'],
            '.mov': ['mjpeg', '-q:v', '2'],
            '.mkv': ['ffv1'], '.webm': ['libvpx-vp9', '-crf', '4'],
            '.avi': ['mpeg4', '-q:v', '2'], '.y4m': ['wrapped_avframe']}
SOUND = {'.mp4': 'aac', '.mov': 'pcm_s16le', '.mkv': 'flac',
         '.webm': 'libopus', '.avi': 'mp3'}


def frames(number: int = 8, size=SIZE) -> List[np.ndarray]:
    """Return a smooth picture that moves by one pixel per frame, (H, W, 3)
    uint8 BGR."""
    noise = np.random.default_rng(0).integers(
        0, 256, (size[0], size[1] + number, 3), dtype=np.uint8)
    picture = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 20, 235,
                            cv2.NORM_MINMAX)
    return [np.ascontiguousarray(picture[:, i:i + size[1]])
            for i in range(number)]


def run_ffmpeg(*arguments, data: bytes = b'') -> None:
    subprocess.run([ffmpeg.program(), '-loglevel', 'error', '-y',
                    *map(str, arguments)], input=data, check=True)


def make_clip(path: Path, images=None, rate: str = '30000/1001',
              sound: bool = True, options=(), length: float = 0.3) -> Path:
    """Write a clip, with sound of a length in seconds if the format has
    it."""
    images = frames() if images is None else images
    h, w = images[0].shape[:2]
    kind = path.suffix
    inputs = ['-f', 'rawvideo', '-pix_fmt', 'bgr24', '-s', f'{w}x{h}', '-r',
              rate, '-i', '-']
    if sound and kind in SOUND:
        inputs += ['-f', 'lavfi', '-i', f'sine=duration={length}', '-c:a',
                   SOUND[kind]]
    run_ffmpeg(*inputs, '-pix_fmt', 'yuvj420p' if kind == '.mov' else
               'yuv420p', '-c:v', *ENCODERS[kind], *options, path,
               data=b''.join(image.tobytes() for image in images))
    return path


def read(path: Path) -> List[np.ndarray]:
    return list(open_clip(Path(path)).read())


def sound_of(path: Path) -> bytes:
    """Return the coded sound of a clip."""
    return subprocess.run(
        [ffmpeg.program(), '-loglevel', 'error', '-i', path, '-map', '0:a',
         '-c', 'copy', '-f', 'data', '-'], capture_output=True,
        check=True).stdout
