"""Base class of image file datasets."""
from typing import Dict, List

from mmengine.dataset import BaseDataset

from ..errors import SHOWN, DataError, ImageError, listed
from ..io.reader import MAX_PIXELS


class ImageFilesDataset(BaseDataset):
    """Dataset of image files that tolerates some failures during training.

    All files are checked when the dataset is built, usually without decoding
    them, and all problems are reported at once. If an image fails later
    (because it was removed or its data is damaged), testing and validation
    stop. In training, the next sample replaces it. The replacement depends
    only on the index, so a resumed run sees the same data. Samples list the
    failed images in ``skipped``; :class:`SkippedImagesHook` counts them over
    workers and processes.

    Args:
        max_skipped (int): Maximum number of different images that may fail.
            With 0, as in testing, the first failure raises an error.
        max_pixels (int): Maximum number of pixels of an image.
        **kwargs: Arguments of mmengine's ``BaseDataset``.

    Raises:
        DataError: From indexing, if an image fails with ``max_skipped=0``, or
            if too many images fail.
    """

    def __init__(self, max_skipped: int = 0, max_pixels: int = MAX_PIXELS,
                 **kwargs) -> None:
        self.max_skipped = max_skipped
        self.max_pixels = max_pixels
        self.skipped: Dict[str, None] = {}  # in this process or worker
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
                    # set in all samples, since a batch needs equal fields
                    item['data_samples'].set_metainfo(dict(skipped=skipped))
                return item
        raise listed(skipped, 'all images')


def check_skipped(skipped: List[str], limit: int) -> None:
    """Check that no more than ``limit`` images failed.

    Raises:
        DataError: If too many failed. The message lists some of them.
    """
    if len(skipped) > limit:
        raise DataError(
            f'{len(skipped)} images failed during training, more than '
            f'max_skipped={limit} of the dataset allows: '
            + '; '.join(text.rstrip('.') for text in skipped[:SHOWN]) + '.')
