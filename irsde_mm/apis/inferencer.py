"""Inferencer for files, folders, arrays and PIL images."""
import warnings
from collections import deque
from functools import partial
from typing import Any, Callable, Dict, Iterator, List, Optional, Union

from ..errors import ConfigError, DataError, ImageError, building, listed
from ..inference.change_kinds import changes, is_mixture
from ..inference.memory import memory_errors
from ..inference.progress import Progress
from ..io.photos import prepare_folder
from .drawing import draw_result
from .inference import open_pipeline
from .interpolation import interpolate_photos
from .options import Options
from .photos import Photo, list_sources, open_photo, single, with_name
from .restoring import restore_batch
from .results import BatchTracker, Report, Restoration
from .saving import Folder


class RestorationInferencer:
    """Inferencer that restores images with a trained model.

    Example:
        >>> restore = RestorationInferencer('work_dirs/derain')
        >>> result, = restore('photo.jpg', samples=4)['predictions']
        >>> result.image, result.spread

    Attributes:
        pipeline (ImagePipeline): Pipeline of the model.

    Args:
        model (str): Name of a bundled model (:func:`bundled_models`), work
            directory, exported file, or checkpoint of irsde_mm; or name or
            path of a config, which requires ``weights``.
        weights (str, optional): Path of a checkpoint.
        device (str, optional): 'cpu', 'cuda', 'cuda:1', ...; by default the
            first GPU if there is one.
        tile (int | str, optional): See :func:`init_restorer`.
        self_ensemble (int, optional): Flipped copies that each network call
            is averaged over, 1, 2, 4 or 8; by default as the model specifies.

    Raises:
        ConfigError, CheckpointError: If the model or its weights are missing,
            invalid, or do not match.
    """

    def __init__(self, model: str, weights: Optional[str] = None,
                 device: Optional[str] = None,
                 tile: Union[None, int, str] = None,
                 self_ensemble: Optional[int] = None) -> None:
        with building(f"'{model}' cannot be built"):
            self.pipeline = open_pipeline(model, weights, device, tile,
                                          self_ensemble)

    def __call__(self, inputs: Any, **options) -> Dict[str, list]:
        """Restore images.

        Args:
            inputs: A path, folder or pattern, an array (H, W, C) uint8 BGR, a
                PIL image, or a list of these.
            **options: See :class:`Options`.

        Returns:
            dict: ``predictions``, a :class:`Restoration` for each image in
            the order of the inputs (with an ``error`` if the image could not
            be restored), and ``visualization``, a dict of the requested
            visualizations for each image.

        Raises:
            IRSDEError: If an option is invalid, a result would overwrite a
                file, or none of the images can be restored.
        """
        found = sorted(self._run(inputs, Options(**options)),
                       key=lambda item: item[0])
        return dict(predictions=[result for _, result, _ in found],
                    visualization=[drawn for _, _, drawn in found])

    def stream(self, inputs: Any, **options) -> Iterator[Restoration]:
        """Yield each result as soon as the image is restored.

        Takes the arguments of :meth:`__call__`. Results are not collected,
        so a folder of any size can be processed.
        """
        for _, result, _ in self._run(inputs, Options(**options)):
            yield result

    def _run(self, inputs: Any, options: Options) -> Iterator[tuple]:
        """Yield triples (index, result, visualizations) when available."""
        options = options.for_pipeline(self.pipeline)
        sources = list_sources(inputs)
        photos = self._photos(sources, options)
        folder = None
        if options.out_dir:
            folder = Folder(prepare_folder(options.out_dir), options.samples,
                            options.pictures)
            folder.prepare(photos)
        failed = [photo.error for photo in photos if photo.error]
        for i, photo in enumerate(photos):
            if photo.error and len(failed) < len(photos):
                yield i, Restoration(photo.name, error=photo.error), {}
        good = [i for i, photo in enumerate(photos) if not photo.error]
        for place, result in self._restored(photos, good, options):
            try:
                self._add_interval(photos[place], result, options)
                self._add_changes(photos[place], result, options)
                drawn = self._draw(photos[place], result, options)
            except ImageError as error:  # the file changed in the meantime
                result, drawn = Restoration(result.name, error=error), {}
            if result.error:
                failed.append(result.error)
                if len(failed) == len(photos):
                    break
            else:
                self._finish(photos[place], result, drawn, folder)
            yield place, result, drawn
        if len(failed) == len(photos):
            raise failed[0] if len(failed) == 1 else DataError(
                str(listed([str(error) for error in failed], 'the photos')))

    def _finish(self, photo: Photo, result: Restoration, drawn: dict,
                folder: Optional[Folder]) -> None:
        """Write a result, and warn if all draws are identical."""
        if result.spread is not None and not result.spread.any():
            warnings.warn(f"'{result.name}': all draws are identical, because "
                          'neither the start nor the sampler adds noise.',
                          stacklevel=4)
        if folder:
            folder.write(photo.stem, result, drawn,
                         photo.metadata(result.image.shape[2]))

    def interpolate(self, a: Any, b: Any, number: int = 7, *,
                    time: Optional[int] = None, **options) -> list:
        """Interpolate between two images through the process.

        Args:
            a, b: Paths, arrays or PIL images of the same size.
            number, time: See :func:`interpolation.interpolate`.
            **options: The fields of :class:`Options` for the sampler, seed
                (default: 0), output folder, progress bar and large images.
                The files are ``A_to_B_1.png`` and so on, and
                ``A_to_B.png``, a strip of all images.

        Returns:
            list[ndarray]: Images (H, W, C) uint8 BGR, from a to b.

        Raises:
            IRSDEError: As for :meth:`__call__`.
        """
        options = Options(**options).for_pipeline(self.pipeline)
        if options.interval is not None:
            raise ConfigError('an image between two photos has no interval: '
                              'omit interval.')
        photos = [self._photos(single(list_sources(image)), options)[0]
                  for image in (a, b)]
        for photo in photos:
            if photo.error:
                raise photo.error
        return interpolate_photos(self.pipeline, photos, number, time, options)

    def _photos(self, sources: list, options: Options) -> List[Photo]:
        """Open the photos; each has its size, or an error."""
        photos = [open_photo(source, i, self.pipeline.channels,
                             options.max_pixels, options.white)
                  for i, source in enumerate(sources, 1)]
        for photo in photos:
            if photo.error is None and not options.force:
                try:
                    self.pipeline.check_memory(*photo.size, photo.name)
                except ImageError as error:
                    photo.error = error
        return photos

    def _restored(self, photos: List[Photo], good: List[int],
                  options: Options) -> Iterator[tuple]:
        """Yield pairs (index, result) and report progress.

        If a batch fails, its photos are restored one by one, so that only
        unusable ones are skipped.
        """
        batches = deque(self.pipeline.in_batches(
            [photos[i].size for i in good], options.batch_size))
        steps = options.samples * self.pipeline.trajectories(
            options.crispness, options.sampler) * (
                self.pipeline.max_calls(options.sampler))
        with Report(len(good), steps, options.callback,
                    options.show_progress) as report:
            while batches:
                batch = batches.popleft()
                places = [good[i] for i in batch]
                report.begin([photos[i].stem for i in places])
                try:
                    results = self._restore([photos[i] for i in places],
                                            options, report.step)
                except DataError as error:
                    if len(batch) > 1:
                        batches.extendleft([i] for i in reversed(batch))
                        continue
                    name = photos[places[0]].name
                    results = [Restoration(name, error=with_name(
                        error, name))]
                report.end(results)
                yield from zip(places, results)

    def _restore(self, photos: List[Photo], options: Options,
                 report: Callable[[Progress], None]) -> List[Restoration]:
        """Restore one batch.

        Raises:
            DataError: If a photo cannot be used, or if there is not enough
                memory.
        """
        tracker = BatchTracker(
            [photo.name for photo in photos],
            self.pipeline.max_calls(options.sampler),
            self.pipeline.trajectories(options.crispness, options.sampler),
            options.samples, options.trajectory, report)
        with memory_errors():
            for tracker.draw in range(options.samples):
                tracker.draws.append(restore_batch(
                    self.pipeline, photos, sampler=options.sampler,
                    seed=options.seed, draw=tracker.draw,
                    crispness=options.crispness,
                    data_consistency=options.data_consistency,
                    max_pixels=options.max_pixels, white=options.white,
                    callback=tracker if options.sampler else None))
        return tracker.restored()

    def _add_interval(self, photo: Photo, result: Restoration,
                      options: Options) -> None:
        """Add the requested interval, and warn if it may not hold."""
        if options.interval is None or result.error:
            return
        calibration, pipe = self.pipeline.calibration, self.pipeline
        degraded = pipe.enlarged(photo.load(
            pipe.channels, options.max_pixels, options.white))
        scale = calibration.scale(result.image, degraded)
        result.lower, result.upper = calibration.bounds(
            result.image, scale, options.interval)
        result.doubt = calibration.doubt(result.image, degraded, scale)
        if result.doubt:
            warnings.warn(f"'{result.name}': {result.doubt}", stacklevel=4)

    def _add_changes(self, photo: Photo, result: Restoration,
                     options: Options) -> None:
        """Add what a model for several kinds of degradation removed."""
        if not result.error and is_mixture(self.pipeline.degradation):
            result.changes = changes(photo.load(
                self.pipeline.channels, options.max_pixels, options.white),
                result.image)

    def _draw(self, photo: Photo, result: Restoration,
              options: Options) -> dict:
        """Draw the requested visualizations, see :func:`draw_result`.

        Returns:
            dict: Images (h, w, 3) uint8 BGR by kind.

        Raises:
            ImageError: If the photo can no longer be read.
        """
        load = partial(photo.load, self.pipeline.channels, options.max_pixels,
                       options.white)
        return {kind: draw_result(kind, load, result)
                for kind in options.pictures if not result.error}
