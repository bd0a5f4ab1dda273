"""Samples of several shards, and checks of them."""
from collections.abc import Sequence as SequenceType
from concurrent.futures import ThreadPoolExecutor
from typing import Dict, List, NamedTuple, Optional, Sequence, Union

import numpy as np

from ..errors import DataError, listed
from ..io.addresses import expand
from ..io.shard_index import IndexProblem
from ..io.shards import Shard, open_shard
from .image_cache import CacheFile

THREADS = 16  # shards that are opened at once
TOOL = 'python tools/prepare_data.py shards --source'
PAIRS = dict(img='input', gt='target')


class Samples(SequenceType):
    """Sequence of samples that are made when they are asked for.

    Args:
        shards (list[Shard]): The shards.
        number (ndarray): Number of the shard of each sample.
        rows (dict): Rows of the images of each sample in the index of its
            shard, by 'img' and 'gt'; -1 for no image.
        common (dict): Entries of every sample.
    """

    def __init__(self, shards: List[Shard], number: np.ndarray,
                 rows: Dict[str, np.ndarray], common: dict) -> None:
        self.shards, self.number = shards, number
        self.rows, self.common = rows, common

    def __len__(self) -> int:
        return len(self.number)

    def __getitem__(self, i):
        """Return a sample, or a part for a slice or an array."""
        if isinstance(i, (slice, np.ndarray)):
            return Samples(self.shards, self.number[i], {
                key: rows[i] for key, rows in self.rows.items()}, self.common)
        return dict({f'{key}_path': self.address(key, i)
                     for key in self.rows}, **self.common)

    def __deepcopy__(self, memo: dict) -> 'Samples':
        return self  # it does not change

    def address(self, key: str, i: int) -> str:
        """Return the address of an image."""
        return self.shards[self.number[i]].address(self.rows[key][i])

    def shapes(self, key: str) -> np.ndarray:
        """Return the width and height of all images, (N, 2)."""
        found = np.empty((len(self), 2), np.int32)
        for number, shard in enumerate(self.shards):
            where = self.number == number
            rows = self.rows[key][where]
            found[where] = np.stack([shard.index.width[rows],
                                     shard.index.height[rows]], axis=1)
        return found


class Opened(NamedTuple):
    """A shard, or the problem that it has."""
    shard: Optional[Shard]
    problem: Optional[DataError]


def open_all(urls: Union[str, Sequence[str]],
             cache: Optional[CacheFile] = None) -> List[Shard]:
    """Open shards and report the problems of all of them at once.

    Raises:
        DataError: With the command that makes missing indexes.
    """

    def opened(url: str) -> Opened:
        try:
            return Opened(open_shard(url, cache), None)
        except DataError as error:
            return Opened(None, error)

    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(opened, expand(urls)))
    problems = [item.problem for item in found if item.problem]
    if not problems:
        return [item.shard for item in found]
    patterns = [urls] if isinstance(urls, str) else urls
    hint = ''
    if any(isinstance(problem, IndexProblem) for problem in problems):
        hint = (f" Make the indexes: {TOOL} "
                + ' '.join(f"'{pattern}'" for pattern in patterns))
    raise DataError(
        f"{listed([str(p) for p in problems], ' '.join(patterns))}{hint}")


def find_fields(shards: List[Shard]) -> Dict[str, str]:
    """Return the fields of pairs or of clean images.

    Raises:
        DataError: If there are both or none.
    """
    names = set().union(*(shard.index.field_names for shard in shards))
    paired = names & set(PAIRS.values())
    clean = names & {'gt', ''}
    if bool(paired) != bool(clean):
        return PAIRS if paired else dict(gt='gt' if 'gt' in clean else '')
    found = ', '.join(map(repr, sorted(names)))
    raise DataError(
        f'the shards have images of the fields {found}: choose with fields='
        "dict(img=..., gt=...) for pairs, or fields=dict(gt=...).")


def check_keys(shards: List[Shard]) -> None:
    """Check that no key is in two shards.

    Raises:
        DataError: With the first such key.
    """
    hashes = np.concatenate([shard.index.hashes for shard in shards])
    values, counts = np.unique(hashes, return_counts=True)
    if counts.max() == 1:
        return
    twice = values[counts > 1]
    seen: Dict[str, Shard] = {}
    for shard in shards:
        index = shard.index
        for row in np.flatnonzero(np.isin(index.hashes[index.sample], twice)):
            key = index.key(row)
            if seen.setdefault(key, shard) is not shard:
                raise DataError(f"the key '{key}' is in '{seen[key].url}' and "
                                f"in '{shard.url}'; keys must be unique.")
