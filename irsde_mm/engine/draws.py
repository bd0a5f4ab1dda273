"""Random draws as functions of a place in training, not of what ran before.

This makes a resumed run equal to an uninterrupted one: the n-th sample, its
augmentation and the noise of an iteration follow from the seed and n alone.
"""
import random
from contextlib import contextmanager
from typing import Any, Iterator, Tuple

import numpy as np
import torch
from mmengine.dist import get_dist_info
from torch.utils.data import Dataset, Sampler

# kinds of draws, a part of every key
ORDER, SAMPLE, ITERATION, MEASURE = range(4)


def seed_all(*key: int) -> None:
    """Seeds Python's, numpy's and torch's generators.

    Args:
        *key (int): Where training is, such as (seed, ITERATION, rank, i); each
            at least 0.
    """
    words = np.random.SeedSequence(key).generate_state(4)
    random.seed(int(words[0]))
    np.random.seed(words[1])
    torch.manual_seed((int(words[2]) << 32) + int(words[3]))


@contextmanager
def seeded(*key: int) -> Iterator[None]:
    """A block with random numbers of its own; afterwards the generators go on
    as if it had not been.

    Args:
        *key (int): See :func:`seed_all`.
    """
    python, numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(range(torch.cuda.device_count())):
        seed_all(*key)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)


class DataOrder(Sampler):
    """An endless order of samples that can start anywhere.

    All samples come once before one comes again. Process r of w takes the
    samples r, r + w, r + 2w, ...

    Args:
        size (int): Samples of the dataset.
        shuffle (bool): A new order for each pass.
    """

    def __init__(self, size: int, shuffle: bool = True) -> None:
        self.size = size
        self.shuffle = shuffle
        self.seed = self.stream = self.place = 0

    def start_at(self, seed: int, stream: int, place: int) -> None:
        """Chooses what the next iterator begins with.

        Args:
            seed (int): Of the run, the same for all processes.
            stream (int): Which of the run's orders, 0 at first.
            place (int): Samples that each process has taken before.
        """
        self.seed, self.stream, self.place = seed, stream, place

    def __iter__(self) -> Iterator[Tuple[int, tuple]]:
        """Pairs of an index and the key that :class:`SeededDataset` seeds
        with."""
        rank, processes = get_dist_info()
        n = self.place * processes + rank
        order, of_epoch = None, None
        while True:
            epoch, k = divmod(n, self.size)
            if epoch != of_epoch:
                order, of_epoch = self._order(epoch), epoch
            yield int(order[k]), (self.seed, SAMPLE, self.stream, n)
            n += processes

    def _order(self, epoch: int) -> np.ndarray:
        if not self.shuffle:
            return np.arange(self.size)
        return np.random.default_rng(
            (self.seed, ORDER, self.stream, epoch)).permutation(self.size)

    def __len__(self) -> int:
        return self.size


class SeededDataset(Dataset):
    """A dataset whose samples are drawn with the keys of a DataOrder.

    Args:
        dataset (Dataset): Any dataset. Its attributes are available here.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, draw: Any):
        if isinstance(draw, tuple):
            draw, key = draw
            seed_all(*key)
        return self.dataset[draw]

    def __getattr__(self, name: str) -> Any:
        # copying and unpickling ask before there is a dataset
        if name == 'dataset' or name.startswith('__'):
            raise AttributeError(name)
        return getattr(self.dataset, name)
