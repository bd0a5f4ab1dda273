"""Pairs of degraded and clean images."""
import warnings
from pathlib import Path
from typing import Dict, List, Optional, Sequence

from ..errors import DataError, listed
from ..io.reader import image_size
from ..registry import DATASETS
from .base import ImageFilesDataset
from .pair_names import PairNames, some


@DATASETS.register_module()
class PairedImageDataset(ImageFilesDataset):
    """Images in two folders, or in one, paired by file name.

    Names without extension have to agree, or follow ``templates``; samples
    are sorted by the name of the degraded image.

    Example:
        >>> # 01_hazy.png and 01_GT.png, side by side
        >>> PairedImageDataset('NH-HAZE', dict(img='', gt=''),
        ...                    templates=dict(img='{}_hazy', gt='{}_GT'))

    Args:
        data_root (str): Folder that the prefixes start from.
        data_prefix (dict): Folders of degraded (``img``) and clean (``gt``)
            images, by default 'input' and 'target'; '' for both is the root.
        pipeline (Sequence[dict]): Transforms; samples have ``img_path``,
            ``gt_path`` and ``scale``.
        templates (dict): Names of degraded (``img``) and clean (``gt``)
            images, ``{}`` for what a pair has in common:
            ``dict(img='rain-{}', gt='norain-{}')``. A ``*`` in the first
            stands for anything: ``dict(img='{}_*', gt='{}')`` gives one clean
            image to several degraded ones. Files that fit no template are
            left out with a warning. In a folder of both, a file that fits
            both templates belongs to the longer one.
        scale (int): How many times larger the clean images are, >= 1.
        min_size (int): Smallest side that a clean image may have, as training
            patches need.
        hint (str): Where the data is obtained, shown when it is missing.
        **kwargs: Of :class:`ImageFilesDataset` and mmengine's ``BaseDataset``
            (``test_mode``, ``lazy_init``, ...).

    Raises:
        ValueError: If a template is invalid.
        DataError: If folders are missing or empty, or pairs do not fit.
    """

    METAINFO = dict(dataset_type='paired_image_dataset')

    def __init__(self, data_root: str, data_prefix: Optional[dict] = None,
                 pipeline: Sequence[dict] = (),
                 templates: Optional[dict] = None, scale: int = 1,
                 min_size: int = 1, hint: str = '', **kwargs) -> None:
        self.names = PairNames(**(templates or {}))
        self.files: Dict[str, Dict[str, Path]] = {}  # of each side, by name
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
            self.files, left = self.names.choose(folders)
        except DataError as error:
            raise DataError(
                f'{error} Expected: {self.names.expected(folders)}. '
                f'{self.hint} Configs in configs/quickstart/ need no data.'
            ) from None
        if left:
            texts = ' nor '.join(map(repr, self.names.templates.values()))
            warnings.warn(f'{len(left)} image(s) are left out, named neither '
                          f'{texts}: {some(map(str, left))}.',
                          stacklevel=1)  # as ours: mmengine's are not shown

    def load_data_list(self) -> List[dict]:
        folders, (img, gt) = self.data_prefix, self.files.values()
        partners = {name: self.names.partner(name) for name in img}
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
