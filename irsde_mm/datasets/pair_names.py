"""Pairs of files in one or two folders, matched by name."""
import re
from pathlib import Path
from typing import Dict, Iterable, List, NamedTuple, Optional

from ..errors import DataError
from ..io.image_files import by_stem, list_images

SIDES = ('img', 'gt')
WORDS = dict(img='degraded', gt='clean')
SHOWN = 3


class Chosen(NamedTuple):
    """The files of pairs.

    Attributes:
        sides (dict): Paths by name, of degraded (``img``) and clean (``gt``)
            images.
        left (list): Paths that match neither template.
    """
    sides: Dict[str, Dict[str, Path]]
    left: List[Path]


class PairNames:
    """Names of degraded and clean images, without extensions.

    Args:
        img (str): Degraded images: ``{}`` for what a pair has in common, ``*``
            for anything.
        gt (str): Clean images, with ``{}`` alone.

    Raises:
        ValueError: If one is not such a template.
    """

    def __init__(self, img: str = '{}', gt: str = '{}') -> None:
        self.templates = dict(img=img, gt=gt)
        for text in self.templates.values():
            if text.count('{}') != 1:
                raise ValueError(
                    f"a template has '{{}}' once, unlike {text!r}.")
        if '*' in gt:
            raise ValueError("the template of clean images has no '*', "
                             f'unlike {gt!r}.')
        self.patterns = {side: re.compile(re.escape(text).replace(
            r'\*', '.*').replace(r'\{\}', '(.+?)'))
            for side, text in self.templates.items()}

    def partner(self, name: str) -> Optional[str]:
        """The name of the clean image of a degraded one."""
        found = self.patterns['img'].fullmatch(name)
        return found and self.templates['gt'].replace('{}', found[1])

    def expected(self, folders: Dict[str, Path]) -> str:
        """Description of what the folders have to contain."""
        if set(self.templates.values()) == {'{}'}:
            return (f"degraded images in '{folders['img']}', clean ones of "
                    f"the same names in '{folders['gt']}'")
        return ', '.join(
            f"{WORDS[side]} images named '{folders[side] / name}'"
            for side, name in self.templates.items())

    def choose(self, folders: Dict[str, Path]) -> Chosen:
        """Choose the files that fit the templates.

        Args:
            folders (dict): Of degraded (``img``) and clean (``gt``) images;
                one folder may hold both.

        Raises:
            DataError: If a folder is missing, or a side has no image or two
                of the same name.
        """
        files = {side: list_images(folders[side]) for side in SIDES}
        shared = folders['img'].samefile(folders['gt'])
        taken = {side: [path for path in files[side]
                        if self._is_of(side, path, shared)] for side in SIDES}
        for side in SIDES:
            if not taken[side]:
                raise DataError(
                    f"no image in '{folders[side]}' is named like "
                    f"'{self.templates[side]}', the template of "
                    f'{WORDS[side]} images: there is '
                    f'{some(path.name for path in files[side])}.')
        everything = dict.fromkeys(files['img'] + files['gt'])
        return Chosen(
            {side: by_stem(taken[side]) for side in SIDES},
            [path for path in everything
             if path not in {*taken['img'], *taken['gt']}])

    def _is_of(self, side: str, path: Path, shared: bool) -> bool:
        """Whether a file is of this side. One that both templates fit is of
        that with more letters: '1_GT' of '{}_GT' and not of '{}'."""
        fits = {s: self.patterns[s].fullmatch(path.stem) for s in SIDES}
        if not shared or not all(fits.values()):
            return bool(fits[side])
        letters = {s: len(re.sub(r'\{\}|\*', '', text))
                   for s, text in self.templates.items()}
        if letters['img'] == letters['gt']:
            raise DataError(
                f"'{path}' fits both {self.templates['img']!r} and "
                f"{self.templates['gt']!r}: the templates have to "
                'distinguish degraded images from clean ones.')
        return side == max(letters, key=letters.get)


def some(names: Iterable[str]) -> str:
    """The first of some names."""
    names = list(names)
    more = len(names) - SHOWN
    return ', '.join(f"'{name}'" for name in names[:SHOWN]) + (
        f' and {more} more' if more > 0 else '')
