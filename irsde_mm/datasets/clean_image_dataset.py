"""Dataset of clean images that are degraded on the fly."""
from pathlib import Path
from typing import List, Sequence

from ..errors import DataError, listed
from ..io.image_files import list_images
from ..io.reader import image_size
from ..registry import DATASETS
from .base import ImageFilesDataset


@DATASETS.register_module()
class CleanImageDataset(ImageFilesDataset):
    """Clean images of one folder, sorted by name.

    Args:
        data_root (str): The folder.
        pipeline (Sequence[dict]): Transforms. Samples have ``gt_path``.
        min_size (int): Minimum side length of an image, such as the size of
            training patches.
        hint (str): How to obtain the data. Shown if it is missing.
        **kwargs: Arguments of :class:`ImageFilesDataset` and mmengine's
            ``BaseDataset`` (``test_mode``, ``lazy_init``, ...).

    Raises:
        DataError: If the folder is missing or empty, or images are broken or
            too small.
    """

    METAINFO = dict(dataset_type='clean_image_dataset')

    def __init__(self, data_root: str, pipeline: Sequence[dict] = (),
                 min_size: int = 1, hint: str = '', **kwargs) -> None:
        self.min_size = min_size
        try:
            self.files = list_images(Path(data_root))
        except DataError as error:
            raise DataError(f'{error} Expected clean images. {hint} Configs '
                            'in configs/quickstart/ need no data.') from None
        super().__init__(data_root=str(data_root), pipeline=pipeline,
                         **kwargs)

    def load_data_list(self) -> List[dict]:
        problems = []
        for path in self.files:
            try:
                width, height = image_size(path, self.max_pixels)
            except DataError as error:
                problems.append(str(error))
            else:
                if min(width, height) < self.min_size:
                    problems.append(f'{str(path)!r} is {width}x{height}, '
                                    f'below {self.min_size} pixels')
        if problems:
            raise listed(problems, self.data_root)
        return [dict(gt_path=str(path), scale=1, max_pixels=self.max_pixels)
                for path in self.files]
