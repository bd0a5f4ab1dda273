"""Restoring clips: videos, animated GIFs and sequences of photos."""
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import (Dict, Iterator, List, NamedTuple, Optional, Sequence,
                    Tuple)

import numpy as np

from ..errors import ConfigError, DataError, ImageError, OutputError
from ..inference import ImagePipeline
from ..inference.fingerprint import fingerprint
from ..inference.frame_noise import FrameNoise, Source, restore_frames
from ..inference.image_pipeline import BATCH_IMAGES
from ..inference.intervals import sampler_text
from ..inference.memory import memory_errors
from ..io import finding_clips
from ..io.clips import Clip, ClipError
from ..io.files import publish
from ..io.parts import Parts, folder_of
from ..io.photos import fit_channels, prepare_folder
from .options import Options
from .photos import with_name
from .results import BatchTracker, Report, Restoration
from .saving import LONGEST, check_new


class Frame(NamedTuple):
    """A degraded frame: its index, pixels (H, W, C) uint8 BGR, and noise."""

    index: int
    pixels: np.ndarray
    noise: Optional[Source]


#: Options for single photos, with the values that leave them out.
REFUSED = dict(samples=1, trajectory=False, compare=False, interval=None)


@dataclass
class Job:
    """A clip to restore.

    Attributes:
        name (str): Its path.
        clip (Clip, optional): The clip, if it can be used.
        error (DataError, optional): Reason why it cannot.
        path (Path, optional): The result.
    """

    name: str
    clip: Optional[Clip] = None
    error: Optional[DataError] = None
    path: Optional[Path] = None


def open_clips(sources: Sequence[finding_clips.Source],
               options: Options) -> List[Job]:
    """Open clips, and check where their results would be written.

    Args:
        sources: Clips from :func:`split_inputs`.
        options (Options): Options for all of them, with ``out_dir``.

    Raises:
        ConfigError: If the extra video is not installed, or an option does
            not apply to clips.
        OutputError: If a result exists, or two would have the same name.
    """
    for name, default in REFUSED.items():
        if getattr(options, name) != default:
            raise ConfigError(f'{name} applies to photos, not to clips: omit '
                              'it, or restore the photos alone.')
    jobs = []
    for source in sources:
        first = source[0].parent if isinstance(source, list) else source
        job = Job(str(first))
        try:
            job.clip = finding_clips.open_clip(source, options.max_pixels,
                                               options.white)
            job.path = Path(options.out_dir) / job.clip.target
        except DataError as error:
            job.error = error
        jobs.append(job)
    good = [job for job in jobs if job.clip]
    check_new([job.path for job in good])
    for job in good:
        if len(os.fsencode(folder_of(job.path).name)) > LONGEST:
            raise OutputError(f"the file name of '{job.path}' would be too "
                              'long: rename the clip.')
        for text in job.clip.warnings:
            warnings.warn(f"'{job.name}' {text}", stacklevel=2)
    return jobs


def restore_clips(pipeline: ImagePipeline, jobs: Sequence[Job],
                  options: Options,
                  noise: Optional[str] = None) -> Iterator[Restoration]:
    """Restore clips one after the other, and yield their results.

    A result with ``files`` and an ``error`` ends where its clip is damaged.

    Args:
        pipeline (ImagePipeline): The model.
        jobs: From :func:`open_clips`.
        options (Options): Options of the restoration.
        noise (str, optional): See :class:`FrameNoise`; 'shared' by default.

    Raises:
        ConfigError: If an option is not supported by the model.
        OutputError: If a result cannot be written.
    """
    options = options.for_pipeline(pipeline)
    if noise is not None and options.sampler is None:
        raise ConfigError(f'{pipeline.name} is not a diffusion model and does '
                          'not support the option noise.')
    prepare_folder(options.out_dir)
    for job in jobs:
        result = Restoration(job.name, error=job.error)
        if job.clip is not None:
            try:
                result.error = ClipRestoration(
                    pipeline, job.clip, options, noise or 'shared').run(
                        job.path)
                result.path, result.files = job.path, [job.path]
            except DataError as error:
                result.error = error
        yield result


class ClipRestoration:
    """Restoration of one clip.

    Frames are restored in batches and kept as files in a hidden folder until
    the last is ready, so that memory is bounded and a killed run can go on.

    Args:
        pipeline (ImagePipeline): The model.
        clip (Clip): The clip.
        options (Options): Options that were checked for the pipeline.
        noise (str): See :class:`FrameNoise`.

    Raises:
        ConfigError: If the noise is unknown.
        ImageError: If there is not enough memory for a frame.
    """

    def __init__(self, pipeline: ImagePipeline, clip: Clip, options: Options,
                 noise: str) -> None:
        self.pipeline, self.clip, self.options = pipeline, clip, options
        self.noise = None if options.sampler is None else FrameNoise(
            pipeline, noise, Path(clip.name).name, options.seed)
        if not options.force:
            pipeline.check_memory(*clip.size, clip.name)
        number = options.batch_size or BATCH_IMAGES
        self.batch = len(pipeline.in_batches(
            [clip.size] * number, options.batch_size)[0])

    def settings(self) -> Dict[str, str]:
        """Return what the frames depend on."""
        options, sampler = self.options, self.options.sampler
        values = dict(
            clip=self.clip.digest(), model=fingerprint(self.pipeline),
            sampler=sampler and sampler_text(sampler), seed=options.seed,
            crispness=options.crispness, white=options.white,
            noise=self.noise and self.noise.kind, data_consistency=(
                fingerprint(options.data_consistency)
                if options.data_consistency else None))
        return {key: str(value) for key, value in values.items()}

    def run(self, path: Path) -> Optional[ClipError]:
        """Restore the clip.

        Args:
            path (Path): The result, a new file or folder.

        Returns:
            ClipError, if the clip is damaged and the result ends before the
            damage.

        Raises:
            DataError: If no frame can be restored, or there is not enough
                memory.
            OutputError: If the result cannot be written.
        """
        with Parts(path, self.settings()) as parts:
            number, damage = self.restore(parts)
            if not number:
                parts.remove()
                raise damage or ImageError(
                    f'{self.clip.name!r} contains no frames.')
            result = parts.part(f'result{path.suffix}')
            try:
                self.clip.write([parts.file(i) for i in range(number)],
                                result)
                publish(result, path)
            except OSError as error:
                raise OutputError(
                    f"cannot write '{path}': {error.strerror or error}; the "
                    f"restored frames are kept in '{parts.path}'.") from error
            parts.remove()
        return damage

    def restore(self, parts: Parts) -> Tuple[int, Optional[ClipError]]:
        """Restore the frames that are missing.

        Returns:
            (number, damage): Number of frames, and the reason why there are
            no more if the clip is damaged.

        Raises:
            ImageError: If there is not enough memory.
        """
        pipe, options, ready = self.pipeline, self.options, parts.count()
        if ready < self.clip.length:  # batches as without interruption
            ready -= ready % self.batch
        steps = pipe.trajectories(options.crispness, options.sampler) * (
            pipe.max_calls(options.sampler))
        number, damage, batch = 0, None, []
        with Report(self.clip.length, steps, options.callback,
                    options.show_progress, ready) as report:
            try:
                for frame in self.frames():
                    number += 1
                    if number > ready:
                        batch.append(frame)
                    if len(batch) == self.batch:
                        self.restore_batch(batch, parts, report)
                        batch = []
            except ClipError as error:
                damage = error
            if batch:
                self.restore_batch(batch, parts, report)
        return number, damage

    def frames(self) -> Iterator[Frame]:
        """Yield the frames of the clip with their noise.

        Raises:
            ClipError: At the first damage.
        """
        for i, pixels in enumerate(self.clip.read()):
            try:
                pixels = fit_channels(pixels, self.pipeline.channels, 'it')
            except ImageError as error:
                raise ClipError(self.clip.name, i,
                                str(error).rstrip('.')) from None
            yield Frame(i, pixels, self.noise and self.noise.source(
                pixels, self.clip.frame_name(i)))

    def restore_batch(self, batch: List[Frame], parts: Parts,
                      report: Report) -> None:
        """Restore consecutive frames and write them.

        Raises:
            ImageError: If a frame cannot be restored, such as for lack of
                memory.
        """
        pipe, options = self.pipeline, self.options
        first, name = batch[0].index, self.clip.name
        names = [f'{name}, frame {frame.index + 1}' for frame in batch]
        tracker = BatchTracker(
            names, pipe.max_calls(options.sampler), pipe.trajectories(
                options.crispness, options.sampler), 1, False, report.step)
        report.begin([Path(name).name] * len(batch))
        pixels = [frame.pixels for frame in batch]
        try:
            with memory_errors():
                images = pipe.restore_batch(pixels, names) \
                    if self.noise is None else restore_frames(
                        pipe, pixels, [frame.noise for frame in batch],
                        names=names, sampler=options.sampler,
                        crispness=options.crispness, callback=tracker,
                        data_consistency=options.data_consistency)
        except DataError as error:
            raise with_name(error, names[0]) from error
        for i, image in enumerate(images, first):
            parts.write(i, image, self.clip.metadata(i, image.shape[2]))
        tracker.draws.append(images)
        report.end(tracker.restored())
