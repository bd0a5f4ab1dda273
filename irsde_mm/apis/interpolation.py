"""Images between two images, through the process."""
from typing import List, Optional, Sequence

import numpy as np
import torch

from tqdm.auto import tqdm

from ..errors import ConfigError, DataError
from ..samplers.base import Sampler
from ..visualization import at_most, draw_grid
from .drawing import SIDE, in_colour
from .images import prepare_folder, write_image
from .inference import image_channels
from .options import Options
from .photos import Photo
from .restoring import Watch, batch_data, in_batches, restore_batch
from .saving import check_new


def interpolate(model, pair: Sequence[np.ndarray], number: int = 7, *,
                sampler: Sampler, seed: int = 0, time: Optional[int] = None,
                watch: Optional[Watch] = None) -> List[np.ndarray]:
    """Walks from one degraded image to another, and restores on the way.

    Both are restored and brought to time t with the same noise, and the way
    back is walked from mixtures of the two states, on the condition of
    mixtures of the two degraded images. As the noise is the same, a mixture
    of states is a state of the mixed images. Noise is drawn from the seed for
    every image alike, so the results change as smoothly as the model does.

    After Ho et al., NeurIPS 2020, section 4.3, there for a process without a
    degraded image.

    Args:
        model: What :func:`init_restorer` returns, one with a process.
        pair: Two images (H, W, C) uint8 BGR of one size.
        number (int): Images, the two ends among them, at least 2.
        sampler (Sampler): See :func:`choose_sampler`.
        seed (int): Chooses among the possible results.
        time (int, optional): t, from 1 to the number of steps of the process;
            by default half of it. The later, the freer are the mixtures.
        watch: See :func:`restore_batch`.

    Returns:
        list[ndarray]: Images (H, W, C) uint8 BGR.

    Raises:
        ConfigError: If ``number`` or ``time`` is out of its range.
        DataError: If the sizes differ.
    """
    t = check_places(model, number, time)
    check_sizes(pair)
    ends = restore_batch(model, pair, sampler=sampler, seed=seed, watch=watch)
    xa, xb = common_states(model, pair, ends, t, seed)
    shares = np.linspace(0, 1, number)
    frames: List[np.ndarray] = []
    for batch in in_batches(model, [pair[0].shape[:2]] * number):
        mixed = [mix(*pair, shares[i]) for i in batch]
        xt = torch.cat([torch.lerp(xa, xb, float(shares[i])) for i in batch])
        frames += restore_batch(model, mixed, sampler=sampler, seed=seed,
                                start=(xt, t), watch=watch)
    return frames


def check_places(model, number: int, time: Optional[int]) -> int:
    """The time that states are mixed at.

    Raises:
        ConfigError: As :func:`interpolate`.
    """
    if not hasattr(model, 'sampler'):
        raise ConfigError(f'{type(model).__name__} is no diffusion model: it '
                          'has no states to mix.')
    if type(number) is not int or number < 2:
        raise ConfigError(f'number={number!r} is no whole number of at least '
                          '2: both ends are among the images.')
    most = model.sde.num_steps
    if time is None:
        return max(most // 2, 1)
    if type(time) is not int or not 1 <= time <= most:
        raise ConfigError(f'time={time!r} is no whole number from 1 to '
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


def common_states(model, pair: Sequence[np.ndarray],
                  restored: Sequence[np.ndarray], t: int, seed: int) -> list:
    """Both images' states at time t, (1, C, H, W), with the same noise."""
    sde, states = model.sde, []
    condition = getattr(model, 'initial_image', lambda inputs: inputs)
    for degraded, clean in zip(pair, restored):
        mu, x0 = (batch_data(model, [image], enlarge=image is degraded)[
            'inputs'] for image in (degraded, clean))
        generator = torch.Generator(mu.device).manual_seed(seed)
        noise = torch.randn(mu.shape, generator=generator, device=mu.device)
        with torch.no_grad():
            states.append(sde.perturb(
                sde.from_image(x0), sde.from_image(condition(mu)), t, noise))
    return states


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
    t, calls = check_places(model, number, time), options.calls(model)
    channels = image_channels(model)
    pair = [photo.load(channels, options.max_pixels) for photo in photos]
    check_sizes(pair)
    files = frame_files(photos, number, options.out_dir)
    with tqdm(total=2 * calls + number * min(calls, t), unit='step',
              disable=not options.show_progress) as bar:
        frames = interpolate(
            model, pair, number, sampler=options.sampler, time=time,
            seed=options.seed or 0, watch=lambda walked, step, *_:
            bar.update(len(walked) if step else 0))
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
