"""Matching of degraded and clean images by file name."""
import re
from pathlib import Path
from typing import Dict, Iterable, List, NamedTuple, Optional

from ..errors import DataError
from ..io.image_files import by_stem, list_images

SIDES = ('img', 'gt')
LABELS = dict(img='degraded', gt='clean')
SHOWN = 3


class MatchedFiles(NamedTuple):
    """Files that name templates select.

    Attributes:
        sides (dict): Paths of degraded (``img``) and clean (``gt``) images by
            name.
        unmatched (list): Paths that match neither template.
    """
    sides: Dict[str, Dict[str, Path]]
    unmatched: List[Path]


class PairNames:
    """Name templates of degraded and clean images, without extensions.

    Args:
        img (str): Template of degraded images: ``{}`` for the part that both
            images share, ``*`` for anything.
        gt (str): Template of clean images, with ``{}`` only.

    Raises:
        ValueError: If a template is invalid.
    """

    def __init__(self, img: str = '{}', gt: str = '{}') -> None:
        self.templates = dict(img=img, gt=gt)
        for text in self.templates.values():
            if text.count('{}') != 1:
                raise ValueError("a template must contain '{}' exactly once, "
                                 f'but got {text!r}.')
        if '*' in gt:
            raise ValueError("the template of clean images must not contain "
                             f"'*', but got {gt!r}.")
        self.patterns = {side: re.compile(re.escape(text).replace(
            r'\*', '.*').replace(r'\{\}', '(.+?)'))
            for side, text in self.templates.items()}

    def partner(self, name: str) -> Optional[str]:
        """Return the clean image's name for a degraded image's name."""
        found = self.patterns['img'].fullmatch(name)
        return found and self.templates['gt'].replace('{}', found[1])

    def expected(self, folders: Dict[str, Path]) -> str:
        """Describe the files expected in the folders."""
        if set(self.templates.values()) == {'{}'}:
            return (f"degraded images in '{folders['img']}', clean ones of "
                    f"the same names in '{folders['gt']}'")
        return ', '.join(
            f"{LABELS[side]} images named '{folders[side] / name}'"
            for side, name in self.templates.items())

    def choose(self, folders: Dict[str, Path]) -> MatchedFiles:
        """Select the files that match the templates.

        Args:
            folders (dict): Folders of degraded (``img``) and clean (``gt``)
                images, which may be the same.

        Raises:
            DataError: If a folder is missing, or a side has no image or two
                images of the same name.
        """
        files = {side: list_images(folders[side]) for side in SIDES}
        shared = folders['img'].samefile(folders['gt'])
        matched = {side: [path for path in files[side]
                        if self._is_of(side, path, shared)] for side in SIDES}
        for side in SIDES:
            if not matched[side]:
                raise DataError(
                    f"no image in '{folders[side]}' matches "
                    f"'{self.templates[side]}', the template of "
                    f'{LABELS[side]} images; found '
                    f'{first_few(path.name for path in files[side])}.')
        everything = dict.fromkeys(files['img'] + files['gt'])
        return MatchedFiles(
            {side: by_stem(matched[side]) for side in SIDES},
            [path for path in everything
             if path not in {*matched['img'], *matched['gt']}])

    def _is_of(self, side: str, path: Path, shared: bool) -> bool:
        """Return True if a file belongs to this side.

        A file that matches both templates belongs to the longer one: '1_GT'
        belongs to '{}_GT' rather than '{}'.
        """
        fits = {s: self.patterns[s].fullmatch(path.stem) for s in SIDES}
        if not shared or not all(fits.values()):
            return bool(fits[side])
        letters = {s: len(re.sub(r'\{\}|\*', '', text))
                   for s, text in self.templates.items()}
        if letters['img'] == letters['gt']:
            raise DataError(
                f"'{path}' matches both {self.templates['img']!r} and "
                f"{self.templates['gt']!r}; the templates must distinguish "
                'degraded images from clean ones.')
        return side == max(letters, key=letters.get)


def first_few(names: Iterable[str]) -> str:
    """List the first names and state how many more there are."""
    names = list(names)
    more = len(names) - SHOWN
    return ', '.join(f"'{name}'" for name in names[:SHOWN]) + (
        f' and {more} more' if more > 0 else '')
