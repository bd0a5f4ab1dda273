"""Parts of published data sets and their file names.

The data sets are in ``data_sources.py``.
"""
import re
import string
from dataclasses import dataclass, replace
from typing import Dict, List, Optional, Sequence, Tuple

from irsde_mm.errors import ConfigError, DataError

SHOWN = 10


@dataclass(frozen=True)
class Part:
    """Images of one kind.

    Attributes:
        role: Name, as in --pattern ROLE=REGEX.
        pattern: Regular expression of the whole path of a file, starting with
            the name of the folder or the archive (without its suffix), case
            insensitive. Its groups fill the targets.
        targets: Paths below --out, without the suffix. Pairs use the first.
        example: Published path that the pattern has to match.
        count: Number of published images; None if unknown.
        names: Pattern of a group, for folders that contain other parts too.
        optional: Whether the whole part may be missing.
        size: Width and height, if all images must have the same.
        mask: Whether images must be pure black and white.
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
        """Return the groups that the pattern must have."""
        return {field for target in self.targets
                for _, field, _, _ in string.Formatter().parse(target)
                if field}

    def target_pattern(self, target: str) -> re.Pattern:
        """Return the pattern of a filled target."""
        pieces = string.Formatter().parse(target)
        return re.compile(''.join(
            re.escape(text) + (f'(?:{self.names})' if field else '')
            for text, field, _, _ in pieces))

    def fill(self, groups: dict) -> List[str]:
        """Return the targets of a file whose path has these groups.

        Raises:
            DataError: If a group is not a valid name, so that nothing is
                written elsewhere.
        """
        filled = [target.format(**groups) for target in self.targets]
        for stem, target in zip(filled, self.targets):
            if not self.target_pattern(target).fullmatch(stem):
                raise DataError(f"'{stem}' is not a valid name for "
                                f'{self.role}.')
        return filled

    def problem(self, count: int, subset: bool) -> str:
        """Return the problem of a number of images, or ''."""
        if subset or count == self.count or (
                self.count is None if count else self.optional):
            return ''
        return (f"{self.role}: {self.count or 'some'} images expected, "
                f'{count} found')


@dataclass(frozen=True)
class Pair:
    """Two parts with matching names.

    Attributes:
        img: Role of the degraded images.
        gt: Role of the clean images.
        scale: Size of the clean images relative to the degraded ones.
        many: Whether a clean image '{}' has several degraded ones, '{}_*'.
        crop: Whether to crop the borders of larger clean images.
    """
    img: str
    gt: str
    scale: int = 1
    many: bool = False
    crop: bool = False

    def partner(self, name: str) -> str:
        """Return the name of the clean image of a degraded one."""
        return name.split('_')[0] if self.many else name


@dataclass(frozen=True)
class Source:
    """A data set; ``verified`` means checked against the real archive."""
    title: str
    obtained: str
    terms: str
    configs: Tuple[str, ...]
    parts: Tuple[Part, ...]
    pairs: Tuple[Pair, ...] = ()
    note: str = ''
    verified: bool = False

    def problems(self, roles: Dict[str, dict], subset: bool) -> List[str]:
        """Return the problems of counts and pairs.

        Args:
            roles (dict): For each role, the names of its images and how
                messages call them.
            subset (bool): Whether to accept any count.
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
        """Return the data set with other file names, each as ROLE=REGEX.

        Raises:
            ConfigError: If a pattern is invalid, or its role is unknown.
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
                problem = 'it must be ROLE=REGEX'
            except re.error as error:
                problem = str(error)
            if problem:
                raise ConfigError(f"--pattern '{text}': {problem}; the roles "
                                  f"are {', '.join(parts)}.")
            parts[role] = replace(parts[role], pattern=pattern)
        return replace(self, parts=tuple(parts.values()))


def some(names: Sequence[str]) -> str:
    """Return the first ten names as text."""
    more = len(names) - SHOWN
    return ', '.join(f"'{name}'" for name in names[:SHOWN]) + (
        f' and {more} more' if more > 0 else '')
