"""Datasets and transforms."""
from . import transforms  # noqa: F401
from .builtin_photos import BuiltinPhotos
from .clean_image_dataset import CleanImageDataset
from .paired_image_dataset import PairedImageDataset
from .shard_dataset import ShardDataset

__all__ = ['BuiltinPhotos', 'CleanImageDataset', 'PairedImageDataset',
           'ShardDataset']
