"""Restoring photos with an exported graph, without torch for ONNX."""
from pathlib import Path
from typing import Any, Iterator, List, Optional

from ..apis.drawing import draw_result
from ..apis.photos import Photo, list_sources, open_photo, with_name
from ..apis.results import Restoration, spread
from ..apis.saving import Folder
from ..errors import ConfigError, DataError, ImageError, listed
from ..inference.host_memory import free_host_memory
from ..io.photos import prepare_folder
from ..io.reader import MAX_PIXELS
from ..io.white_level import check_white
from .runner import open_graph

#: Image-sized tensors besides those of the network calls and the noise.
IMAGE_TENSORS = 10
#: Photos up to this number of pixels are restored without a memory check.
SMALL = 2**20


class GraphInferencer:
    """Inferencer for a file written by ``irsde export``.

    Example:
        >>> restore = GraphInferencer('derain.onnx')
        >>> for result in restore.stream('photos', out_dir='restored'):
        ...     print(result.path)

    Attributes:
        graph (GraphRunner): The graph.

    Args:
        model (str): Path of the file.

    Raises:
        CheckpointError, ConfigError: See :func:`open_graph`.
    """

    def __init__(self, model: str) -> None:
        self.graph = open_graph(model)

    def stream(self, inputs: Any, *, seed: Optional[int] = None,
               samples: int = 1, compare: bool = False, out_dir: str = '',
               max_pixels: int = MAX_PIXELS, white: Optional[int] = None,
               force: bool = False) -> Iterator[Restoration]:
        """Yield each result as soon as the photo is restored.

        Args:
            inputs: A path, folder or pattern, an array (H, W, C) uint8 BGR, a
                PIL image, or a list of these.
            seed, samples, compare, out_dir, max_pixels, white, force: See
                :class:`Options`.

        Raises:
            IRSDEError: If an option is invalid, a result would overwrite a
                file, or none of the photos can be restored.
        """
        check_options(seed, samples, max_pixels)
        check_white(white)
        spec = self.graph.spec
        photos = [open_photo(source, i, spec.channels, max_pixels, white)
                  for i, source in enumerate(list_sources(inputs), 1)]
        for photo in photos:
            self._check(photo, force)
        pictures = [kind for kind, wanted in (
            ('compare', compare), ('spread', samples > 1)) if wanted]
        folder = None
        if out_dir:
            folder = Folder(prepare_folder(out_dir), samples, pictures)
            folder.prepare(photos)
        failed: List[Exception] = []
        for photo in photos:
            result, drawn = self._restore(photo, pictures, seed, samples,
                                          max_pixels, white)
            if result.error:
                failed.append(result.error)
            elif folder:
                folder.write(photo.stem, result, drawn,
                             photo.metadata(spec.channels))
            if len(failed) == len(photos):
                raise failed[0] if len(failed) == 1 else DataError(
                    str(listed([str(error) for error in failed],
                               'the photos')))
            yield result

    def _check(self, photo: Photo, force: bool) -> None:
        """Find out whether a photo fits the graph and the memory."""
        if photo.error:
            return
        try:
            self.graph.check_size(*photo.size)
            if not force:
                check_memory(self.graph.spec, *photo.size)
        except ImageError as error:
            photo.error = ImageError(f'{photo.name!r} {error}.')

    def _restore(self, photo: Photo, pictures: List[str],
                 seed: Optional[int], samples: int, max_pixels: int,
                 white: Optional[int]) -> tuple:
        """Return the result of a photo, and its visualizations by kind."""
        def load():
            return photo.load(self.graph.spec.channels, max_pixels, white)

        if photo.error:
            return Restoration(photo.name, error=photo.error), {}
        # the name seeds the noise, as for other models
        name = str(photo.source) if isinstance(photo.source, Path) else ''
        try:
            image = load()
            draws = [self.graph.restore(image, name, seed=seed, draw=i)
                     for i in range(samples)]
            result = Restoration(photo.name, draws[0], draws, spread(
                draws) if samples > 1 else None)
            return result, {kind: draw_result(kind, load, result)
                            for kind in pictures}
        except MemoryError:
            error: DataError = ImageError(
                f'{photo.name!r} needs more memory than is free; resize it.')
        except DataError as problem:
            error = with_name(problem, photo.name)
        return Restoration(photo.name, error=error), {}


def check_options(seed: Any, samples: Any, max_pixels: Any) -> None:
    """Check the options of :meth:`GraphInferencer.stream`.

    Raises:
        ConfigError: If one is out of range.
    """
    if seed is not None and (type(seed) is not int
                             or not 0 <= seed < 2**63):
        raise ConfigError(f'seed={seed!r} must be an integer from 0 to '
                          '2**63 - 1.')
    for name, value in (('samples', samples), ('max_pixels', max_pixels)):
        if type(value) is not int or value < 1:
            raise ConfigError(f'{name}={value!r} must be an integer of at '
                              'least 1.')


def check_memory(spec: Any, height: int, width: int) -> None:
    """Check that enough memory is free for a large photo.

    Raises:
        ImageError: If it is not. The message does not name the photo.
    """
    pixels = spec.scale**2 * height * width
    if pixels <= SMALL:
        return
    need = pixels * (spec.bytes_per_pixel + 4 * spec.channels * (
        IMAGE_TENSORS + spec.draws))
    free = free_host_memory()
    if need > free:
        raise ImageError(
            f'has {pixels / 1e6:.1f} megapixels and needs about '
            f'{need / 2**30:.1f} GiB of memory, because a graph processes '
            f'photos whole, but only {free / 2**30:.1f} GiB are free; resize '
            'it, use the model in tiles instead of its graph, or skip this '
            'check with --force')
