"""Images between two images, through the process."""
from typing import List, Optional, Sequence

import numpy as np
import torch
from tqdm.auto import tqdm

from ..errors import ConfigError, DataError
from ..inference import RestorationPipeline
from ..inference.image_pipeline import Callback
from ..io.grids import at_most, draw_grid
from ..io.photos import prepare_folder, write_image
from ..samplers.base import Sampler
from .drawing import SIDE, in_colour
from .inference import diffusion_pipeline
from .options import Options
from .photos import Photo
from .saving import check_new

NO_STATES = 'it has no states to mix'


def interpolate(model, pair: Sequence[np.ndarray], number: int = 7, *,
                sampler: Sampler, seed: int = 0, time: Optional[int] = None,
                callback: Optional[Callback] = None) -> List[np.ndarray]:
    """Restores images between two degraded ones.

    Both are restored and brought to time t with the same noise, and sampling
    goes on from mixtures of the two states, on the condition of mixtures of
    the two degraded images. As the noise is the same, a mixture
    of states is a state of the mixed images. Noise is drawn from the seed for
    every image alike, so the results change as smoothly as the model does.

    After Ho et al., NeurIPS 2020, section 4.3, there for a process without a
    degraded image.

    Args:
        model: What :func:`init_restorer` returns, one with a process.
        pair: Two images (H, W, C) uint8 BGR of one size.
        number (int): Images, the two ends among them, at least 2.
        sampler (Sampler): A sampler.
        seed (int): Chooses among the possible results.
        time (int, optional): t, from 1 to the number of steps of the process;
            by default half of it. The later, the freer are the mixtures.
        callback: See :func:`restore_batch`.

    Returns:
        list[ndarray]: Images (H, W, C) uint8 BGR.

    Raises:
        ConfigError: If ``number`` or ``time`` is out of its range.
        DataError: If the sizes differ.
    """
    pipeline = diffusion_pipeline(model, NO_STATES)
    t = check_places(pipeline, number, time)
    check_sizes(pair)
    options = dict(sampler=sampler, seed=seed, callback=callback)
    ends = pipeline.restore_batch(pair, **options)
    xa, xb = (pipeline.state_at(degraded, clean, t, seed)
              for degraded, clean in zip(pair, ends))
    shares = np.linspace(0, 1, number)
    frames: List[np.ndarray] = []
    for batch in pipeline.in_batches([pair[0].shape[:2]] * number):
        mixed = [mix(*pair, shares[i]) for i in batch]
        xt = torch.cat([torch.lerp(xa, xb, float(shares[i])) for i in batch])
        frames += pipeline.restore_batch(mixed, start=(xt, t), **options)
    return frames


def check_places(pipeline: RestorationPipeline, number: int,
                 time: Optional[int]) -> int:
    """The time that states are mixed at.

    Raises:
        ConfigError: As :func:`interpolate`.
    """
    if type(number) is not int or number < 2:
        raise ConfigError(f'number={number!r} must be a whole number of at '
                          'least 2: both ends are among the images.')
    most = pipeline.sde.num_steps
    if time is None:
        return max(most // 2, 1)
    if type(time) is not int or not 1 <= time <= most:
        raise ConfigError(f'time={time!r} must be a whole number from 1 to '
                          f'{most}.')
    return time


def check_sizes(pair: Sequence[np.ndarray]) -> None:
    """Stops two images of different sizes."""
    (ha, wa), (hb, wb) = (image.shape[:2] for image in pair)
    if (ha, wa) != (hb, wb):
        raise DataError(f'only images of one size can be mixed, but these are '
                        f'{wa}x{ha} and {wb}x{hb}.')


def mix(a: np.ndarray, b: np.ndarray, share: float) -> np.ndarray:
    """(1 - share) a + share b, uint8."""
    return np.rint((1 - share) * a + share * b).astype(np.uint8)


def interpolate_photos(model, photos: Sequence[Photo], number: int,
                       time: Optional[int], options: Options) -> list:
    """:func:`interpolate` from files to files, under a bar.

    Args:
        model: What :func:`init_restorer` returns.
        photos: Two.
        number, time: See :func:`interpolate`.
        options (Options): With the sampler of the model.

    Returns:
        list[ndarray]: Images (H, W, C) uint8 BGR.

    Raises:
        IRSDEError: As :func:`interpolate`, or if a result would overwrite
            something.
    """
    pipeline = diffusion_pipeline(model, NO_STATES)
    t = check_places(pipeline, number, time)
    calls = pipeline.max_calls(options.sampler)
    channels = pipeline.channels
    pair = [photo.load(channels, options.max_pixels, options.white)
            for photo in photos]
    check_sizes(pair)
    files = frame_files(photos, number, options.out_dir)
    with tqdm(total=2 * calls + number * min(calls, t), unit='step',
              disable=not options.show_progress) as bar:
        frames = interpolate(
            pipeline, pair, number, sampler=options.sampler, time=time,
            seed=options.seed or 0, callback=lambda progress: bar.update(
                len(progress.photos) if progress.step else 0))
    profiles = [photo.metadata(channels).get('icc_profile')
                for photo in photos]
    metadata = {} if None in profiles or profiles[0] != profiles[1] else dict(
        icc_profile=profiles[0])
    for file, image in zip(files, [draw_frames(frames), *frames]):
        write_image(file, image, **metadata)
    return frames


def frame_files(photos: Sequence[Photo], number: int, folder: str) -> list:
    """The files of the strip and the images, none of which exists.

    Raises:
        OutputError: If one does, or the folder cannot be written to.
    """
    if not folder:
        return []
    stem = '_to_'.join(photo.stem for photo in photos)
    names = [stem, *(f'{stem}_{i + 1}' for i in range(number))]
    files = [prepare_folder(folder) / f'{name}.png' for name in names]
    check_new(files)
    return files


def draw_frames(frames: Sequence[np.ndarray]) -> np.ndarray:
    """Images (H, W, C) uint8 BGR beside each other; large ones smaller."""
    return draw_grid([[at_most(in_colour(frame), SIDE) for frame in frames]])
