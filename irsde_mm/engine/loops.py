"""Parts of validation and test loops, mmengine's and mmagic's.

mmengine's have one test set; mmagic's have several, and may pass over one
more than once.
"""
from typing import List, Optional

from mmengine.evaluator import Evaluator
from mmengine.runner import BaseLoop
from torch.utils.data import DataLoader


def dataloaders_of(loop: Optional[BaseLoop]) -> List[DataLoader]:
    """The dataloader of each test set; none without a loop."""
    if loop is None:
        return []
    return getattr(loop, 'dataloaders', None) or [loop.dataloader]


def evaluators_of(loop: BaseLoop) -> List[Evaluator]:
    """The evaluator of each test set."""
    return getattr(loop, 'evaluators', None) or [loop.evaluator]


def num_batches(loop: BaseLoop) -> int:
    """Batches of all test sets, over all passes; of a loop that runs."""
    if hasattr(loop, 'total_length'):
        return loop.total_length
    return len(loop.dataloader)
