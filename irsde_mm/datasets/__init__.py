"""Datasets and transforms."""
from . import transforms  # noqa: F401
from .builtin_photos import BuiltinPhotos
from .clean_image_dataset import CleanImageDataset
from .paired_image_dataset import PairedImageDataset

__all__ = ['BuiltinPhotos', 'CleanImageDataset', 'PairedImageDataset']
