"""Dataset of images in shards."""
from typing import Dict, List, Optional, Sequence, Union

import numpy as np

from ..errors import DataError, listed
from ..registry import DATASETS
from . import shard_backend  # noqa: F401, registers the backend
from .base import ImageFilesDataset
from .image_cache import CacheFile
from .shard_samples import (PAIRS, Samples, check_keys, find_fields,
                            open_all)


@DATASETS.register_module()
class ShardDataset(ImageFilesDataset):
    """Images in tar files, in WebDataset's convention, read by index.

    ``KEY.input.png`` and ``KEY.target.png`` are the degraded and the clean
    image of a sample; ``KEY.gt.jpg``, or ``KEY.jpg``, is a clean image that
    is degraded on the fly. Samples are in the order of the shards, in each of
    them sorted by key, and any of them can be read at once. This needs an
    index beside each shard, which ``tools/prepare_data.py shards`` makes.

    Example:
        >>> ShardDataset('s3://bucket/train-{000..099}.tar', cache_mb=20_000,
        ...              cache_file='/scratch/shards.lmdb')

    Args:
        urls (str | Sequence[str]): Paths or fsspec addresses of the shards,
            with ``{000..099}``, ``{a,b}``, ``*`` or ``?``.
        pipeline (Sequence[dict]): Transforms. Samples have ``gt_path``,
            ``scale`` and, for pairs, ``img_path``; :class:`LoadImage` and
            mmagic's ``LoadImageFromFile`` read these addresses.
        fields (dict): Fields of degraded (``img``) and clean (``gt``) images,
            such as ``dict(img='lq', gt='hq')``, or ``dict(gt='')`` for
            ``KEY.jpg``. Default: 'input' and 'target', else 'gt', else ''.
        scale (int): Size of the clean images relative to the degraded ones,
            >= 1.
        min_size (int): Minimum side length of a clean image, such as the size
            of training patches.
        cache_mb (float): Size of a local cache of the images' bytes in units
            of 2^20 bytes. When it is full, further images are read from the
            shards each time.
        cache_file (str, optional): LMDB file of the cache, shared by all data
            workers, processes and runs. Needed with ``cache_mb``.
        hint (str): How to obtain the data. Shown if it is missing.
        **kwargs: Arguments of :class:`ImageFilesDataset` and mmengine's
            ``BaseDataset`` (``indices``, ``test_mode``, ``lazy_init``, ...).

    Raises:
        ValueError: If only one of ``cache_mb`` and ``cache_file`` is set.
        DataError: If shards or indexes are missing or do not match, images
            have no partner, sizes do not match, or a key occurs twice.
    """

    METAINFO = dict(dataset_type='shard_dataset')

    def __init__(self, urls: Union[str, Sequence[str]],
                 pipeline: Sequence[dict] = (),
                 fields: Optional[Dict[str, str]] = None, scale: int = 1,
                 min_size: int = 1, cache_mb: float = 0,
                 cache_file: Optional[str] = None, hint: str = '',
                 **kwargs) -> None:
        if (cache_mb > 0) != bool(cache_file):
            raise ValueError('ShardDataset: cache_mb (above 0) and cache_file '
                             f'belong together, but got {cache_mb} and '
                             f'{cache_file!r}.')
        if fields is not None and not {'gt'} <= set(fields) <= set(PAIRS):
            raise ValueError("ShardDataset: fields must have 'gt' and may "
                             f"have 'img', but got {fields!r}.")
        self.urls = urls
        self.scale, self.min_size = scale, min_size
        cache = CacheFile(cache_mb, cache_file) if cache_file else None
        try:  # even with lazy_init
            self.shards = open_all(urls, cache)
        except DataError as error:
            raise DataError(f'{error} {hint}'.rstrip()) from None
        self.fields = fields or find_fields(self.shards)
        # the samples take less memory than a serialized list
        super().__init__(pipeline=pipeline, serialize_data=False, **kwargs)

    def load_data_list(self) -> 'Samples':
        check_keys(self.shards)
        rows: Dict[str, list] = {key: [] for key in self.fields}
        for shard in self.shards:
            for key, label in self.fields.items():
                rows[key].append(shard.index.rows_of(label))
        number = np.repeat(np.arange(len(self.shards), dtype=np.int32),
                           [len(part) for part in rows['gt']])
        samples = Samples(
            self.shards, number,
            {key: np.concatenate(parts) for key, parts in rows.items()},
            dict(scale=self.scale, max_pixels=self.max_pixels))
        # samples of other fields only, such as masks
        samples = samples[np.flatnonzero(np.any(
            [part >= 0 for part in samples.rows.values()], axis=0))]
        if not len(samples):
            names = ' or '.join(map(repr, self.fields.values()))
            raise DataError(f"the shards '{self.urls}' have no images of the "
                            f'field {names}.')
        problems = self._alone(samples) or self._problems(samples)
        if problems:
            raise listed(problems, str(self.urls))
        return samples

    def _alone(self, samples: 'Samples') -> List[str]:
        """Return the images without partner."""
        problems = []
        for key, other in (('img', 'gt'), ('gt', 'img')):
            if {key, other} <= set(samples.rows):
                for i in np.flatnonzero(samples.rows[other] < 0):
                    address = samples.address(key, i)
                    problems.append(f'{address!r} has no partner '
                                    f"'{self.fields[other]}'")
        return problems

    def _problems(self, samples: 'Samples') -> List[str]:
        """Return the images whose sizes do not fit.

        An image that could not be read when it was indexed has no size. In
        training, such images are skipped.
        """
        shapes = {key: samples.shapes(key) for key in samples.rows}
        unknown = {key: shape[:, 0] == 0 for key, shape in shapes.items()}
        problems = [] if self.max_skipped else [
            f'{samples.address(key, i)!r} is damaged: it could not be read '
            'when it was indexed'
            for key in shapes for i in np.flatnonzero(unknown[key])]
        for key, shape in shapes.items():
            for i in np.flatnonzero(
                    shape.astype(np.int64).prod(1) > self.max_pixels):
                problems.append(
                    f'{samples.address(key, i)!r} has more than '
                    f'{self.max_pixels:,} pixels: if this is correct, raise '
                    'max_pixels')
        small = shapes['gt'].min(1) < self.min_size
        for i in np.flatnonzero(small & ~unknown['gt']):
            problems.append('{!r} is {}x{}, below {} pixels'.format(
                samples.address('gt', i), *shapes['gt'][i], self.min_size))
        if 'img' in shapes:
            other = np.any(shapes['img'] * self.scale != shapes['gt'], axis=1)
            for i in np.flatnonzero(
                    other & ~unknown['img'] & ~unknown['gt']):
                problems.append('{!r} is {}x{} but its target {}x{}'.format(
                    samples.address('img', i), *shapes['img'][i],
                    *shapes['gt'][i]) + (f', not {self.scale} times that'
                                         if self.scale > 1 else ''))
        return problems
