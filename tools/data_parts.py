"""What a published data set consists of: its parts and their names.

``data_sources.py`` has the sets themselves.
"""
import re
import string
from dataclasses import dataclass, replace
from typing import Dict, List, Optional, Sequence, Tuple

from irsde_mm.errors import ConfigError, DataError

SHOWN = 10


@dataclass(frozen=True)
class Part:
    """The images of one kind.

    Attributes:
        role: Its name, as in --pattern ROLE=REGEX.
        pattern: Regular expression of the whole path of a file, from the name
            of the folder or the archive (less its ending) on; upper and lower
            case are alike. Its groups fill the targets.
        targets: Where a file goes below --out, less its ending. Pairs are
            made of the first.
        example: A published path that it has to find.
        count: How many images are published; None if that is not known.
        names: What a group looks like, where a folder holds other parts too.
        optional: Whether it may be missing as a whole.
        size: Width and height, if all images have to have one.
        mask: Whether it has to be pure black and white.
    """
    role: str
    pattern: str
    targets: Tuple[str, ...]
    example: str
    count: Optional[int]
    names: str = r'[^/\\.\0][^/\\\0]*'
    optional: bool = False
    size: Optional[Tuple[int, int]] = None
    mask: bool = False

    def groups(self) -> set:
        """The groups that a pattern has to have."""
        return {field for target in self.targets
                for _, field, _, _ in string.Formatter().parse(target)
                if field}

    def own(self, target: str) -> re.Pattern:
        """What a target looks like when it is filled."""
        pieces = string.Formatter().parse(target)
        return re.compile(''.join(
            re.escape(text) + (f'(?:{self.names})' if field else '')
            for text, field, _, _ in pieces))

    def fill(self, groups: dict) -> List[str]:
        """The targets of a file whose path has these groups.

        Raises:
            DataError: If a group is no name: nothing is written elsewhere.
        """
        filled = [target.format(**groups) for target in self.targets]
        for stem, target in zip(filled, self.targets):
            if not self.own(target).fullmatch(stem):
                raise DataError(f"'{stem}' is no name for {self.role}.")
        return filled

    def problem(self, count: int, subset: bool) -> str:
        """What is wrong with a number of images, '' for nothing."""
        if subset or count == self.count or (
                self.count is None if count else self.optional):
            return ''
        return (f"{self.role}: {self.count or 'some'} images expected, "
                f'{count} found')


@dataclass(frozen=True)
class Pair:
    """Two parts whose names have to agree.

    Attributes:
        img: The role of the degraded images.
        gt: The role of the clean ones.
        scale: How many times larger these are.
        many: Whether a clean image '{}' has several degraded ones, '{}_*'.
        crop: Whether a border is cut off clean images that have one.
    """
    img: str
    gt: str
    scale: int = 1
    many: bool = False
    crop: bool = False

    def partner(self, name: str) -> str:
        """The name of the clean image of a degraded one."""
        return name.split('_')[0] if self.many else name


@dataclass(frozen=True)
class Source:
    """A data set; ``verified``: checked against the real archive."""
    title: str
    obtained: str
    terms: str
    configs: Tuple[str, ...]
    parts: Tuple[Part, ...]
    pairs: Tuple[Pair, ...] = ()
    note: str = ''
    verified: bool = False

    def problems(self, roles: Dict[str, dict], subset: bool) -> List[str]:
        """What is wrong with counts and pairs.

        Args:
            roles (dict): For each role its names, and what to call them.
            subset (bool): Whether counts may be any.
        """
        problems = [part.problem(len(roles[part.role]), subset)
                    for part in self.parts]
        optional = {part.role for part in self.parts if part.optional}
        for pair in self.pairs:
            img, gt = roles[pair.img], roles[pair.gt]
            if pair.img in optional and not img:
                continue
            used = {pair.partner(name) for name in img}
            for role, alone in (
                    (pair.gt, [img[name] for name in img
                               if pair.partner(name) not in gt]),
                    (pair.img, [gt[name] for name in gt
                                if name not in used])):
                if alone:
                    problems.append(f'no partner in {role}: {some(alone)}')
        return [problem for problem in problems if problem]

    def with_patterns(self, patterns: List[str]) -> 'Source':
        """The same with other file names, each as ROLE=REGEX.

        Raises:
            ConfigError: If one is no pattern, or for no part.
        """
        parts = {part.role: part for part in self.parts}
        for text in patterns:
            role, _, pattern = text.partition('=')
            try:
                missing = parts[role].groups() - set(
                    re.compile(pattern).groupindex)
                problem = ', '.join(f'it needs a group (?P<{name}>...)'
                                    for name in sorted(missing))
            except KeyError:
                problem = 'it has to be ROLE=REGEX'
            except re.error as error:
                problem = str(error)
            if problem:
                raise ConfigError(f"--pattern '{text}': {problem}; the roles "
                                  f"are {', '.join(parts)}.")
            parts[role] = replace(parts[role], pattern=pattern)
        return replace(self, parts=tuple(parts.values()))


def some(names: Sequence[str]) -> str:
    """The first ten of some names."""
    more = len(names) - SHOWN
    return ', '.join(f"'{name}'" for name in names[:SHOWN]) + (
        f' and {more} more' if more > 0 else '')
