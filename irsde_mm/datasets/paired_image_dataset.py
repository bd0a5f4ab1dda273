"""Dataset of degraded and clean image pairs."""
import warnings
from pathlib import Path
from typing import Dict, List, Optional, Sequence

from ..errors import DataError, listed
from ..io.reader import image_size
from ..registry import DATASETS
from .base import ImageFilesDataset
from .pair_names import PairNames, first_few


@DATASETS.register_module()
class PairedImageDataset(ImageFilesDataset):
    """Image pairs from one or two folders, matched by file name.

    Names without extension must be equal or follow ``templates``. Samples are
    sorted by the name of the degraded image.

    Example:
        >>> # 01_hazy.png and 01_GT.png in the same folder
        >>> PairedImageDataset('NH-HAZE', dict(img='', gt=''),
        ...                    templates=dict(img='{}_hazy', gt='{}_GT'))

    Args:
        data_root (str): Folder that the prefixes are relative to.
        data_prefix (dict): Folders of degraded (``img``) and clean (``gt``)
            images, by default 'input' and 'target'; '' is the root itself.
        pipeline (Sequence[dict]): Transforms. Samples have ``img_path``,
            ``gt_path`` and ``scale``.
        templates (dict): Name templates of degraded (``img``) and clean
            (``gt``) images, with ``{}`` for the part that both share:
            ``dict(img='rain-{}', gt='norain-{}')``. A ``*`` in the first one
            matches anything: ``dict(img='{}_*', gt='{}')`` pairs several
            degraded images with one clean image. Files that match no template
            are ignored with a warning. If both kinds are in one folder, a file
            that matches both templates belongs to the longer one.
        scale (int): Size of the clean images relative to the degraded ones,
            >= 1.
        min_size (int): Minimum side length of a clean image, such as the size
            of training patches.
        hint (str): How to obtain the data. Shown if it is missing.
        **kwargs: Arguments of :class:`ImageFilesDataset` and mmengine's
            ``BaseDataset`` (``test_mode``, ``lazy_init``, ...).

    Raises:
        ValueError: If a template is invalid.
        DataError: If folders are missing or empty, or the images of a pair do
            not match.
    """

    METAINFO = dict(dataset_type='paired_image_dataset')

    def __init__(self, data_root: str, data_prefix: Optional[dict] = None,
                 pipeline: Sequence[dict] = (),
                 templates: Optional[dict] = None, scale: int = 1,
                 min_size: int = 1, hint: str = '', **kwargs) -> None:
        self.names = PairNames(**(templates or {}))
        self.files: Dict[str, Dict[str, Path]] = {}  # per side, by name
        self.scale = scale
        self.min_size = min_size
        self.hint = hint
        super().__init__(
            data_root=str(data_root),
            data_prefix=data_prefix or dict(img='input', gt='target'),
            pipeline=pipeline, **kwargs)

    def _join_prefix(self) -> None:
        """Join the prefixes and check the folders, even with ``lazy_init``."""
        super()._join_prefix()
        folders = {key: Path(self.data_prefix[key]) for key in ('img', 'gt')}
        try:
            self.files, unmatched = self.names.choose(folders)
        except DataError as error:
            raise DataError(
                f'{error} Expected {self.names.expected(folders)}. '
                f'{self.hint} Configs in configs/quickstart/ need no data.'
            ) from None
        if unmatched:
            texts = ' nor '.join(map(repr, self.names.templates.values()))
            names = first_few(map(str, unmatched))
            warnings.warn(f'ignoring {len(unmatched)} image(s) that match '
                          f'neither {texts}: {names}.',
                          stacklevel=1)  # warnings from mmengine are hidden

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
