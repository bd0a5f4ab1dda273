"""Restoring from Python: names, files, arrays, pictures or folders in."""
import warnings
from functools import partial
from typing import Any, Callable, Dict, Iterator, List, Optional, Union

import numpy as np
from mmengine.infer import BaseInferencer

from ..cli import building
from ..datasets.base import listed
from ..errors import CheckpointError, DataError, ImageError
from .drawing import draw_result
from .images import prepare_folder
from .inference import (check_device, find_model, image_channels,
                        restorer_from_config)
from .interpolation import interpolate_photos
from .memory import check_memory
from .options import Options
from .photos import Photo, list_sources, open_photo
from .restoration import Report, Restoration, Walk
from .restoring import in_batches, restore_batch
from .saving import Folder


class RestorationInferencer(BaseInferencer):
    """Restores images with a trained model.

    Example:
        >>> restore = RestorationInferencer('work_dirs/derain')
        >>> result, = restore('photo.jpg', samples=4)['predictions']
        >>> result.image, result.spread

    Args:
        model (str): A model in the box (:func:`boxed_models`), a work folder,
            an exported file, a checkpoint of ours; or a config's name or
            path, with ``weights``.
        weights (str, optional): A checkpoint.
        device (str, optional): 'cpu', 'cuda', 'cuda:1', ...; by default the
            first GPU if there is one.
        tile (int | str, optional): See :func:`init_restorer`.

    Raises:
        ConfigError, CheckpointError: If one is missing or does not fit.
    """

    def __init__(self, model: str, weights: Optional[str] = None,
                 device: Optional[str] = None,
                 tile: Union[None, int, str] = None) -> None:
        cfg, weights = find_model(model, weights)
        if weights is None:
            raise CheckpointError(f"'{model}' is a config: say with "
                                  '--checkpoint (in Python: weights=) which '
                                  'weights to use.')
        self.tile = tile
        with building(f"'{model}' cannot be built"):
            # names are looked up before: the base knows metafiles only
            super().__init__(cfg, weights, str(check_device(device)),
                             scope='irsde_mm')

    def _init_model(self, cfg, weights: str, device: str):
        return restorer_from_config(cfg, weights, device, self.tile)

    def _init_visualizer(self, cfg) -> None:
        """None: a config's writes into the folder of its run."""

    def _init_pipeline(self, cfg) -> Callable[..., Photo]:
        """What looks at an image before any is restored."""
        return partial(open_photo, channels=image_channels(self.model))

    def __call__(self, inputs: Any, **options) -> Dict[str, list]:
        """Restores images.

        Args:
            inputs: A path, folder or pattern, an array (H, W, C) uint8 BGR, a
                PIL image, or a list of these.
            **options: See :class:`Options`.

        Returns:
            dict: ``predictions``, a :class:`Restoration` for each image in
            the order of the inputs (one that could not be restored has an
            ``error``), and ``visualization``, for each what was drawn.

        Raises:
            IRSDEError: If an option is of no use, a result would overwrite
                something, or not one image can be restored.
        """
        found = sorted(self._run(inputs, Options(**options)),
                       key=lambda item: item[0])
        return self.postprocess([result for _, result, _ in found],
                                [drawn for _, _, drawn in found])

    def stream(self, inputs: Any, **options) -> Iterator[Restoration]:
        """As calling it, but gives each image as soon as it is restored, so
        that a folder of any length fits into memory."""
        for _, result, _ in self._run(inputs, Options(**options)):
            yield result

    def _run(self, inputs: Any, options: Options) -> Iterator[tuple]:
        """Triples (place, result, what was drawn), as they get ready."""
        options = options.for_model(self.model)
        sources = self._inputs_to_list(inputs)
        photos = [self.pipeline(source, number=i, max_pixels=options.max_pixels
                                ) for i, source in enumerate(sources, 1)]
        folder = self._folder(photos, options)
        failed = [photo.error for photo in photos if photo.error]
        for i, photo in enumerate(photos):
            if photo.error and len(failed) < len(photos):
                yield i, Restoration(photo.name, error=photo.error), {}
        good = [i for i, photo in enumerate(photos) if not photo.error]
        for place, result in self._restored(photos, good, options):
            if result.error:
                failed.append(result.error)
                if len(failed) == len(photos):
                    break
            elif result.spread is not None and not result.spread.any():
                warnings.warn(f"'{result.name}': all draws are the same: "
                              'neither start nor sampler draws noise.',
                              stacklevel=3)
            drawn = self.visualize([photos[place]], [result], options)[0]
            if folder and not result.error:
                folder.write(photos[place].stem, result, drawn,
                             photos[place].metadata(result.image.shape[2]))
            yield place, result, drawn
        if len(failed) == len(photos):
            raise failed[0] if len(failed) == 1 else DataError(
                str(listed([str(error) for error in failed], 'the photos')))

    def interpolate(self, a: Any, b: Any, number: int = 7, *,
                    time: Optional[int] = None, **options) -> list:
        """Images between two, through the process.

        Args:
            a, b: Paths, arrays or PIL images of one size.
            number, time: See :func:`interpolation.interpolate`.
            **options: Of :class:`Options` those on the sampler, the seed (0
                if it is not given), the folder, the bar and large images.
                Files are ``A_to_B_1.png`` and so on, and ``A_to_B.png``, a
                strip of them.

        Returns:
            list[ndarray]: Images (H, W, C) uint8 BGR, from a to b.

        Raises:
            IRSDEError: As calling the inferencer.
        """
        options = Options(**options).for_model(self.model)
        photos = [self._one(image, options.max_pixels) for image in (a, b)]
        self.preprocess(photos, force=options.force)
        return interpolate_photos(self.model, photos, number, time, options)

    def _one(self, image: Any, max_pixels: int) -> Photo:
        """The photo that an input leads to.

        Raises:
            DataError: If it leads to several, or the photo is of no use.
        """
        sources = self._inputs_to_list(image)
        if len(sources) > 1:
            raise DataError('an end has to be one image, but here are '
                            f'{len(sources)}.')
        photo = self.pipeline(sources[0], number=1, max_pixels=max_pixels)
        if photo.error:
            raise photo.error
        return photo

    def _inputs_to_list(self, inputs: Any) -> list:
        return list_sources(inputs)

    def _folder(self, photos: List[Photo],
                options: Options) -> Optional[Folder]:
        """Where results go, after a look at what lies there."""
        if not options.out_dir:
            return None
        folder = Folder(prepare_folder(options.out_dir), options.samples,
                        options.pictures)
        folder.check(photo.stem for photo in photos)
        return folder

    def preprocess(self, photos: List[Photo], batch_size: Optional[int] = None,
                   force: bool = False) -> List[List[int]]:
        """Batches of places in a list of photos.

        Raises:
            DataError: If memory does not suffice for one.
        """
        if not force:
            for photo in photos:
                check_memory(self.model, *photo.size, photo.name)
        return in_batches(self.model, [photo.size for photo in photos],
                          batch_size)

    def _restored(self, photos: List[Photo], good: List[int],
                  options: Options) -> Iterator[tuple]:
        """Pairs (place, result), under a bar."""
        batches = self.preprocess([photos[i] for i in good],
                                  options.batch_size, options.force)
        with Report(len(good), options.samples * options.calls(self.model),
                    options.progress, options.show_progress) as report:
            for batch in batches:
                places = [good[i] for i in batch]
                report.begin([photos[i].stem for i in places])
                results = self.forward([photos[i] for i in places],
                                       options=options, tell=report.tell)
                report.end(results)
                yield from zip(places, results)

    def forward(self, photos: List[Photo], options: Options,
                tell: Callable) -> List[Restoration]:
        """Restores one batch; an image that is of no use, after all, does not
        stop the others."""
        walk = Walk([photo.name for photo in photos],
                    options.calls(self.model), options.samples,
                    options.trajectory, tell)
        try:
            for walk.draw in range(options.samples):
                walk.draws.append(restore_batch(
                    self.model, [photo.source for photo in photos],
                    sampler=options.sampler, seed=options.seed,
                    draw=walk.draw, max_pixels=options.max_pixels,
                    watch=walk if options.sampler else None))
            return walk.restored()
        except ImageError as error:
            if len(photos) == 1:
                return [Restoration(photos[0].name, error=error)]
            return [self.forward([photo], options, tell)[0]
                    for photo in photos]

    def visualize(self, inputs: List[Photo], preds: List[Restoration],
                  options: Options) -> List[Dict[str, np.ndarray]]:
        """What was asked for of each image: 'compare', degraded beside
        restored; 'states', a strip; 'spread', a heat map with its scale.

        Returns:
            list[dict]: Images (h, w, 3) uint8 BGR by kind.
        """
        channels = image_channels(self.model)
        return [{kind: draw_result(kind, photo.load(
            channels, options.max_pixels), result)
            for kind in options.pictures if not result.error}
            for photo, result in zip(inputs, preds)]

    def postprocess(self, preds: List[Restoration],
                    visualization: List[dict]) -> Dict[str, list]:
        """What a call gives."""
        return dict(predictions=preds, visualization=visualization)
