"""Interpolation between two images through the process."""
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
                crispness: Optional[float] = None,
                callback: Optional[Callback] = None) -> List[np.ndarray]:
    """Restore images between two degraded ones.

    Both images are restored and perturbed to time t with the same noise.
    Sampling then continues from linear mixtures of the two states,
    conditioned on the same mixtures of the degraded images. Because the noise
    is shared, a mixture of states is a state of the mixed images. Every image
    uses the noise of the same seed, so the results vary as smoothly as the
    model does.

    Adapted from Ho et al., NeurIPS 2020, section 4.3, where the process has
    no degraded image.

    Args:
        model: Model returned by :func:`init_restorer`, with a process.
        pair: Two images (H, W, C) uint8 BGR of the same size.
        number (int): Number of images including both ends, at least 2.
        sampler (Sampler): The sampler.
        seed (int): Seed of the noise.
        time (int, optional): t, from 1 to the number of steps of the process;
            by default half of it. A larger t lets the results deviate more
            from the mixtures.
        crispness, callback: See :func:`restore_batch`.

    Returns:
        list[ndarray]: Images (H, W, C) uint8 BGR.

    Raises:
        ConfigError: If ``number`` or ``time`` is out of range.
        DataError: If the sizes differ.
    """
    pipeline = diffusion_pipeline(model, NO_STATES)
    t = check_places(pipeline, number, time)
    check_sizes(pair)
    options = dict(sampler=sampler, seed=seed, callback=callback,
                   data_consistency=False)  # a mixture was not measured
    ends = pipeline.restore_batch(pair, crispness=1., **options)
    xa, xb = (pipeline.state_at(degraded, clean, t, seed)
              for degraded, clean in zip(pair, ends))
    shares = np.linspace(0, 1, number)
    frames: List[np.ndarray] = []
    for batch in pipeline.in_batches([pair[0].shape[:2]] * number):
        mixed = [mix(*pair, shares[i]) for i in batch]
        xt = torch.cat([torch.lerp(xa, xb, float(shares[i])) for i in batch])
        frames += pipeline.restore_batch(
            mixed, start=(xt, t), crispness=crispness, **options)
    return frames


def check_places(pipeline: RestorationPipeline, number: int,
                 time: Optional[int]) -> int:
    """Return the time at which states are mixed.

    Raises:
        ConfigError: As for :func:`interpolate`.
    """
    if type(number) is not int or number < 2:
        raise ConfigError(f'number={number!r} must be an integer of at least '
                          '2, since it includes both ends.')
    most = pipeline.sde.num_steps
    if time is None:
        return max(most // 2, 1)
    if type(time) is not int or not 1 <= time <= most:
        raise ConfigError(f'time={time!r} must be an integer from 1 to '
                          f'{most}.')
    return time


def check_sizes(pair: Sequence[np.ndarray]) -> None:
    """Check that two images have the same size.

    Raises:
        DataError: If the sizes differ.
    """
    (ha, wa), (hb, wb) = (image.shape[:2] for image in pair)
    if (ha, wa) != (hb, wb):
        raise DataError('interpolation requires images of the same size, but '
                        f'these are {wa}x{ha} and {wb}x{hb}.')


def mix(a: np.ndarray, b: np.ndarray, share: float) -> np.ndarray:
    """Return (1 - share) a + share b as uint8."""
    return np.rint((1 - share) * a + share * b).astype(np.uint8)


def interpolate_photos(model, photos: Sequence[Photo], number: int,
                       time: Optional[int], options: Options) -> list:
    """Interpolate between two photos, write the results, report progress.

    Args:
        model: Model returned by :func:`init_restorer`.
        photos: Two photos.
        number, time: See :func:`interpolate`.
        options (Options): Options with a sampler.

    Returns:
        list[ndarray]: Images (H, W, C) uint8 BGR.

    Raises:
        IRSDEError: As for :func:`interpolate`, or if a result would overwrite
            a file.
    """
    pipeline = diffusion_pipeline(model, NO_STATES)
    if options.data_consistency:
        raise ConfigError('interpolation does not support data_consistency, '
                          'because mixtures of photos were not measured.')
    t = check_places(pipeline, number, time)
    calls = pipeline.max_calls(options.sampler)
    frame_calls = min(calls, t) * pipeline.trajectories(
        options.crispness, options.sampler, t)
    channels = pipeline.channels
    pair = [photo.load(channels, options.max_pixels, options.white)
            for photo in photos]
    check_sizes(pair)
    files = frame_files(photos, number, options.out_dir)
    with tqdm(total=2 * calls + number * frame_calls, unit='step',
              disable=not options.show_progress) as bar:
        frames = interpolate(
            pipeline, pair, number, sampler=options.sampler, time=time,
            crispness=options.crispness, seed=options.seed or 0,
            callback=lambda progress: bar.update(
                len(progress.photos) if progress.step else 0))
    profiles = [photo.metadata(channels).get('icc_profile')
                for photo in photos]
    metadata = {} if None in profiles or profiles[0] != profiles[1] else dict(
        icc_profile=profiles[0])
    for file, image in zip(files, [draw_frames(frames), *frames]):
        write_image(file, image, **metadata)
    return frames


def frame_files(photos: Sequence[Photo], number: int, folder: str) -> list:
    """Return the files of the strip and the images.

    Raises:
        OutputError: If a file exists or the folder is not writable.
    """
    if not folder:
        return []
    stem = '_to_'.join(photo.stem for photo in photos)
    names = [stem, *(f'{stem}_{i + 1}' for i in range(number))]
    files = [prepare_folder(folder) / f'{name}.png' for name in names]
    check_new(files)
    return files


def draw_frames(frames: Sequence[np.ndarray]) -> np.ndarray:
    """Draw images (H, W, C) uint8 BGR side by side, large ones downscaled."""
    return draw_grid([[at_most(in_colour(frame), SIDE) for frame in frames]])
