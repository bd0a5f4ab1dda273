"""Pairs of degraded and clean images in two folders."""
import re
from pathlib import Path
from typing import List, Optional, Sequence

from mmengine.dataset import BaseDataset

from ..errors import DataError
from ..registry import DATASETS
from .image_files import by_stem, image_size, list_images

SHOWN = 10


def listed(problems: List[str], where: str) -> DataError:
    """One error for all problems of a folder, the first ten by name."""
    more = len(problems) - SHOWN
    return DataError(f"{len(problems)} problem(s) in '{where}': "
                     + '; '.join(problems[:SHOWN])
                     + (f'; and {more} more.' if more > 0 else '.'))


@DATASETS.register_module()
class PairedImageDataset(BaseDataset):
    """Two folders of images, paired by file name.

    Names without extension have to agree, or follow ``templates``; samples
    are sorted by the name of the degraded image. All pairs are looked at when
    the dataset is built, and everything that is wrong is listed at once.

    PNG, JPEG, BMP, TIFF and WebP are read. mmagic's ``LoadImageFromFile``
    gives grey images three equal channels (one with
    ``color_type='grayscale'``), drops transparency, reduces 16 bits to 8 and
    turns photos upright.

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
        **kwargs: mmengine's ``BaseDataset``'s (``test_mode``,
            ``lazy_init``, ...).

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
        problems = [f"'{path}' has no partner in '{folders['gt']}'"
                    for name, path in img.items() if partners[name] not in gt]
        problems += [f"'{path}' has no partner in '{folders['img']}'"
                     for name, path in gt.items() if name not in used]
        pairs = [(img[name], gt[partners[name]]) for name in sorted(img)
                 if partners[name] in gt]
        for pair in pairs:
            problems += self._pair_problems(*pair)
        if problems:
            raise listed(problems, self.data_root)
        return [dict(img_path=str(a), gt_path=str(b), scale=self.scale)
                for a, b in pairs]

    def _partner(self, name: str) -> Optional[str]:
        """The name of the clean image of a degraded one."""
        found = self.img_name.fullmatch(name)
        return found and self.gt_template.replace('{}', found[1])

    def _pair_problems(self, img: Path, gt: Path) -> List[str]:
        problems, sizes = [], []
        for path in (img, gt):
            try:
                sizes.append(image_size(path))
            except DataError as error:
                problems.append(str(error).rstrip('.'))
        if len(sizes) == 2 and min(sizes[1]) < self.min_size:
            problems.append(f"'{gt}' is {sizes[1][0]}x{sizes[1][1]}, below "
                            f'{self.min_size} pixels')
        if len(sizes) == 2 and sizes[1] != tuple(
                self.scale * side for side in sizes[0]):
            problems.append(
                f"'{img}' is {sizes[0][0]}x{sizes[0][1]} but '{gt}' "
                f'{sizes[1][0]}x{sizes[1][1]}' + (
                    f', not {self.scale} times that' if self.scale > 1
                    else ''))
        return problems
