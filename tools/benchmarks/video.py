"""Flicker of a restored clip for each kind of noise (--noise)."""
import argparse
from typing import Iterator, List, NamedTuple, Tuple

import numpy as np


class Pan(NamedTuple):
    """A camera that moves over a photo of scikit-image.

    Attributes:
        photo (str): Name of the photo.
        start (tuple[float, float]): Left and top of the first frame.
        motion (tuple[float, float]): Pixels per frame, to the right and down.
    """

    photo: str
    start: Tuple[float, float]
    motion: Tuple[float, float]


#: The second motion falls between the pixels.
PANS = (Pan('chelsea', (100, 40), (3, 1)), Pan('coffee', (60, 80), (2.5, .75)))
#: As for the bundled model, in a fixed direction.
RAIN = dict(angle=(15, 15), length=(8, 40), density=(0.0005, 0.004),
            brightness=(40, 100), layers=(2, 2), width=(0.4, 1.0),
            opacity=(0, 0.3), veil=(0, 0.1))
COLUMNS = ('clip', 'rain', 'calls', 'noise', 'flicker', 'PSNR')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('model', help='bundled model that removes rain')
    parser.add_argument('--calls', type=int, nargs='+', default=[1, 5],
                        help='numbers of network calls (default: 1 5)')
    parser.add_argument('--frames', type=int, default=12,
                        help='frames of each clip (default: %(default)s)')
    parser.add_argument('--resolution', type=int, nargs=2,
                        default=(256, 192),
                        metavar=('WIDTH', 'HEIGHT'),
                        help='size of the frames (default: 256 192)')


def run(args: argparse.Namespace) -> List[dict]:
    """Restore the pans with moving rain, and without any, where the flicker is
    that of the noise alone; print and return the table."""
    from irsde_mm.errors import ConfigError
    from irsde_mm.inference import RestorationPipeline
    from irsde_mm.inference.frame_noise import KINDS
    if min(args.calls) < 1 or args.frames < 2 or min(args.resolution) < 32:
        raise ConfigError('--calls must be at least 1, --frames at least 2, '
                          'and --resolution at least 32 32.')
    pipeline = RestorationPipeline.from_bundled(args.model, args.device)
    rows = []
    print(f"| {' | '.join(COLUMNS)} |\n|---|---|---:|---|---:|---:|")
    for pan in PANS:
        clean = frames_of(pan, args.frames, tuple(args.resolution))
        for rain in ('yes', 'no'):
            degraded = clean if rain == 'no' else [
                with_rain(image, i) for i, image in enumerate(clean)]
            clips = {('', 'input'): degraded}
            for calls in args.calls:
                for kind in KINDS:
                    clips[calls, kind] = restore(pipeline, degraded, kind,
                                                 calls)
            for (calls, kind), frames in clips.items():
                rows.append(dict(zip(COLUMNS, (
                    pan.photo, rain, calls, kind, flicker(frames, pan.motion),
                    psnr(frames, clean)))))
                print('| {clip} | {rain} | {calls} | {noise} | {flicker:.2f} '
                      '| {PSNR:.2f} |'.format(**rows[-1]), flush=True)
    return rows


def frames_of(pan: Pan, number: int,
              size: Tuple[int, int]) -> List[np.ndarray]:
    """Return the clean frames, (H, W, 3) uint8 BGR."""
    import skimage
    from irsde_mm.errors import ConfigError
    photo = np.ascontiguousarray(getattr(skimage.data, pan.photo)()[..., ::-1])
    last = [s + (number - 1) * v for s, v in zip(pan.start, pan.motion)]
    if any(a + n > side - 2 for a, n, side in zip(
            last, size, photo.shape[1::-1])):
        raise ConfigError(f'the photo {pan.photo!r} is too small for '
                          f'{number} frames of {size[0]}x{size[1]}.')
    return [moved(photo, [s + i * v for s, v in zip(pan.start, pan.motion)],
                  size) for i in range(number)]


def moved(image: np.ndarray, offset, size: Tuple[int, int]) -> np.ndarray:
    """Return the part of an image that begins at an offset (x, y), bicubic."""
    import cv2
    matrix = np.array([[1, 0, offset[0]], [0, 1, offset[1]]], np.float64)
    return cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REFLECT,
                          flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)


def with_rain(image: np.ndarray, frame: int) -> np.ndarray:
    """Return an image with the rain of a frame."""
    from irsde_mm.datasets.transforms import RainStreaks
    rng = np.random.default_rng(frame)
    rain = RainStreaks(**RAIN).degrade(image.astype(np.float32), rng, {})
    return rain.round().clip(0, 255).astype(np.uint8)


def restore(pipeline, frames: List[np.ndarray], kind: str,
            calls: int) -> List[np.ndarray]:
    """Return the restored frames."""
    from irsde_mm.inference.frame_noise import FrameNoise, restore_frames
    noise = FrameNoise(pipeline, kind, 'clip', seed=0)
    sampler = pipeline.choose_sampler(None, calls)
    return [restore_frames(pipeline, [frame], [noise.source(
        frame, f'frame {i}')], sampler=sampler)[0]
        for i, frame in enumerate(frames)]


def flicker(frames: List[np.ndarray], motion: Tuple[float, float]) -> float:
    """Return the mean difference of successive frames in gray levels, after
    moving the second one back by the known motion of the camera."""
    h, w = frames[0].shape[:2]
    inner = [slice(int(np.ceil(abs(v))) + 2, side - 2)
             for v, side in ((motion[1], h), (motion[0], w))]

    def differences() -> Iterator[float]:
        for first, second in zip(frames, frames[1:]):
            back = moved(second, [-v for v in motion], (w, h))
            yield np.abs(back.astype(np.float64) - first)[
                inner[0], inner[1]].mean()

    return float(np.mean(list(differences())))


def psnr(frames: List[np.ndarray], clean: List[np.ndarray]) -> float:
    """Return the mean PSNR of the frames; infinity for clean ones."""
    errors = [np.square(a.astype(np.float64) - b).mean()
              for a, b in zip(frames, clean)]
    with np.errstate(divide='ignore'):
        return float(np.mean(10 * np.log10(255**2 / np.array(errors))))
