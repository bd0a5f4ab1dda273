"""Base class of datasets of image files."""
from typing import Dict, List

from mmengine.dataset import BaseDataset

from ..errors import SHOWN, DataError, ImageError, listed
from ..io.reader import MAX_PIXELS


class ImageFilesDataset(BaseDataset):
    """A dataset of image files, some of which may fail during training.

    All files are checked when the dataset is built, without decoding ordinary
    ones, and all problems are listed at once. An image that fails
    later (it vanished, or its data is damaged) stops testing and validation.
    In training the next sample takes its place, a function of the index alone,
    so that a resumed run sees the same data; samples name what was skipped in
    ``skipped`` (:class:`SkippedImagesHook` counts over workers and processes).

    Args:
        max_skipped (int): Different images that may fail; 0, for testing: the
            first one stops.
        max_pixels (int): An image that declares more is refused.
        **kwargs: mmengine's ``BaseDataset``'s.

    Raises:
        DataError: From indexing, if an image fails with ``max_skipped=0``, or
            too many do.
    """

    def __init__(self, max_skipped: int = 0, max_pixels: int = MAX_PIXELS,
                 **kwargs) -> None:
        self.max_skipped = max_skipped
        self.max_pixels = max_pixels
        self.skipped: Dict[str, None] = {}  # by this process or worker
        super().__init__(**kwargs)

    def __getitem__(self, idx: int) -> dict:
        skipped = []
        for _ in range(len(self)):
            try:
                item = super().__getitem__(idx)
            except ImageError as error:
                if not self.max_skipped:
                    raise
                skipped.append(str(error))
                self.skipped.update(dict.fromkeys(skipped))
                check_skipped(list(self.skipped), self.max_skipped)
                idx = (idx + 1) % len(self)
            else:
                if self.max_skipped and 'data_samples' in item:
                    # in all samples: those of a batch have the same fields
                    item['data_samples'].set_metainfo(dict(skipped=skipped))
                return item
        raise listed(skipped, 'all images')


def check_skipped(skipped: List[str], limit: int) -> None:
    """Stops when too many images failed.

    Raises:
        DataError: Naming some of them.
    """
    if len(skipped) > limit:
        raise DataError(
            f'{len(skipped)} images failed during training, more than '
            f'max_skipped={limit} of its dataset: '
            + '; '.join(text.rstrip('.') for text in skipped[:SHOWN]) + '.')
