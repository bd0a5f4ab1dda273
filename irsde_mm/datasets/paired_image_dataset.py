"""Pairs of degraded and clean images in two folders."""
import re
from pathlib import Path
from typing import List, Optional, Sequence

from ..errors import DataError
from ..registry import DATASETS
from .base import ImageFilesDataset, listed
from .image_files import by_stem, list_images
from .image_reader import image_size


@DATASETS.register_module()
class PairedImageDataset(ImageFilesDataset):
    """Two folders of images, paired by file name.

    Names without extension have to agree, or follow ``templates``; samples
    are sorted by the name of the degraded image.

    Args:
        data_root (str): Folder that the prefixes start from.
        data_prefix (dict): Folders of degraded (``img``) and clean (``gt``)
            images, by default 'input' and 'target'.
        pipeline (Sequence[dict]): Transforms; samples have ``img_path``,
            ``gt_path`` and ``scale``.
        templates (dict): Names of degraded (``img``) and clean (``gt``)
            images, ``{}`` for what a pair has in common:
            ``dict(img='rain-{}', gt='norain-{}')``. A ``*`` in the first
            stands for anything: ``dict(img='{}_*', gt='{}')`` gives one clean
            image to several degraded ones.
        scale (int): How many times larger the clean images are, >= 1.
        min_size (int): Smallest side that a clean image may have, as training
            patches need.
        hint (str): Where the data is obtained, shown when it is missing.
        **kwargs: Of :class:`ImageFilesDataset` and mmengine's ``BaseDataset``
            (``test_mode``, ``lazy_init``, ...).

    Raises:
        ValueError: If a template is none.
        DataError: If folders are missing or empty, or pairs do not fit.
    """

    METAINFO = dict(dataset_type='paired_image_dataset')

    def __init__(self, data_root: str, data_prefix: Optional[dict] = None,
                 pipeline: Sequence[dict] = (),
                 templates: Optional[dict] = None, scale: int = 1,
                 min_size: int = 1, hint: str = '', **kwargs) -> None:
        templates = dict(dict(img='{}', gt='{}'), **(templates or {}))
        for name in templates.values():
            if name.count('{}') != 1:
                raise ValueError("PairedImageDataset: a template has '{}' "
                                 f'once, unlike {name!r}.')
        pattern = re.escape(templates['img']).replace(r'\*', '.*')
        self.img_name = re.compile(pattern.replace(r'\{\}', '(.+?)'))
        self.gt_template = templates['gt']
        self.scale = scale
        self.min_size = min_size
        self.hint = hint
        super().__init__(
            data_root=str(data_root),
            data_prefix=data_prefix or dict(img='input', gt='target'),
            pipeline=pipeline, **kwargs)

    def _join_prefix(self) -> None:
        """Looks for the folders at once, also with ``lazy_init``."""
        super()._join_prefix()
        folders = {key: Path(self.data_prefix[key]) for key in ('img', 'gt')}
        try:
            self.files = {key: by_stem(list_images(folder))
                          for key, folder in folders.items()}
        except DataError as error:
            raise DataError(
                f"{error} Expected: degraded images in '{folders['img']}', "
                f"clean ones of the same names in '{folders['gt']}'. "
                f'{self.hint} Configs in configs/quickstart/ need no data.'
            ) from None

    def load_data_list(self) -> List[dict]:
        folders, (img, gt) = self.data_prefix, self.files.values()
        partners = {name: self._partner(name) for name in img}
        used = set(partners.values())
        problems = [f"{str(path)!r} has no partner in '{folders['gt']}'"
                    for name, path in img.items() if partners[name] not in gt]
        problems += [f"{str(path)!r} has no partner in '{folders['img']}'"
                     for name, path in gt.items() if name not in used]
        pairs = [(img[name], gt[partners[name]]) for name in sorted(img)
                 if partners[name] in gt]
        for pair in pairs:
            problems += self._pair_problems(*pair)
        if problems:
            raise listed(problems, self.data_root)
        return [dict(img_path=str(a), gt_path=str(b), scale=self.scale,
                     max_pixels=self.max_pixels) for a, b in pairs]

    def _partner(self, name: str) -> Optional[str]:
        """The name of the clean image of a degraded one."""
        found = self.img_name.fullmatch(name)
        return found and self.gt_template.replace('{}', found[1])

    def _pair_problems(self, img: Path, gt: Path) -> List[str]:
        problems, sizes = [], []
        for path in (img, gt):
            try:
                sizes.append(image_size(path, self.max_pixels))
            except DataError as error:
                problems.append(str(error))
        if len(sizes) == 2 and min(sizes[1]) < self.min_size:
            problems.append(f'{str(gt)!r} is {sizes[1][0]}x{sizes[1][1]}, '
                            f'below {self.min_size} pixels')
        if len(sizes) == 2 and sizes[1] != tuple(
                self.scale * side for side in sizes[0]):
            problems.append(
                f'{str(img)!r} is {sizes[0][0]}x{sizes[0][1]} but '
                f'{str(gt)!r} '
                f'{sizes[1][0]}x{sizes[1][1]}' + (
                    f', not {self.scale} times that' if self.scale > 1
                    else ''))
        return problems
