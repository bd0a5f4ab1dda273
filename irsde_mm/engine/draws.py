"""Random numbers as functions of the position in training.

The n-th sample, its augmentation and the noise of an iteration depend only
on the seed and n, not on what ran before. A resumed run therefore equals an
uninterrupted one.
"""
import random
from contextlib import contextmanager
from typing import Any, Iterator, Tuple

import numpy as np
import torch
from mmengine.dist import get_dist_info
from torch.utils.data import Dataset, Sampler

# purpose of the random numbers, part of every key
ORDER, SAMPLE, ITERATION, MEASURE = range(4)


def seed_all(*key: int) -> None:
    """Seed the generators of Python, NumPy and PyTorch.

    Args:
        *key (int): Position in training, such as (seed, ITERATION, rank, i);
            each value is at least 0.
    """
    words = np.random.SeedSequence(key).generate_state(4)
    random.seed(int(words[0]))
    np.random.seed(words[1])
    torch.manual_seed((int(words[2]) << 32) + int(words[3]))


@contextmanager
def seeded(*key: int) -> Iterator[None]:
    """Run a block with its own seed and restore the generators afterwards.

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
    """Endless sampler that can start at any position.

    Every sample is used once before any is repeated. Process r of w uses the
    samples r, r + w, r + 2w, ...

    Args:
        size (int): Number of samples in the dataset.
        shuffle (bool): Use a new random order for each pass.
    """

    def __init__(self, size: int, shuffle: bool = True) -> None:
        self.size = size
        self.shuffle = shuffle
        self.seed = self.stream = self.position = 0

    def start_at(self, seed: int, stream: int, position: int) -> None:
        """Set the position at which the next iterator starts.

        Args:
            seed (int): Seed of the run, the same in all processes.
            stream (int): Index of the data order within the run, initially 0.
            position (int): Number of samples each process has already used.
        """
        self.seed, self.stream, self.position = seed, stream, position

    def __iter__(self) -> Iterator[Tuple[int, tuple]]:
        """Yield an index and the seed key for :class:`SeededDataset`."""
        rank, processes = get_dist_info()
        n = self.position * processes + rank
        order, order_epoch = None, None
        while True:
            epoch, k = divmod(n, self.size)
            if epoch != order_epoch:
                order, order_epoch = self._order(epoch), epoch
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
    """Dataset that seeds each sample with the key from a DataOrder.

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
        # copy and pickle look up attributes before the dataset is set
        if name == 'dataset' or name.startswith('__'):
            raise AttributeError(name)
        return getattr(self.dataset, name)
