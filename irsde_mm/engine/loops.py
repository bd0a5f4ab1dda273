"""Access to parts of validation and test loops.

mmengine's loops have one test set. mmagic's have several and may run more
than one pass over each.
"""
from typing import List, Optional

from mmengine.evaluator import Evaluator
from mmengine.runner import BaseLoop
from torch.utils.data import DataLoader


def dataloaders_of(loop: Optional[BaseLoop]) -> List[DataLoader]:
    """Return the dataloader of each test set, or [] if there is no loop."""
    if loop is None:
        return []
    return getattr(loop, 'dataloaders', None) or [loop.dataloader]


def evaluators_of(loop: BaseLoop) -> List[Evaluator]:
    """Return the evaluator of each test set."""
    return getattr(loop, 'evaluators', None) or [loop.evaluator]


def num_batches(loop: BaseLoop) -> int:
    """Return the number of batches over all test sets and passes.

    The loop must be running.
    """
    if hasattr(loop, 'total_length'):
        return loop.total_length
    return len(loop.dataloader)
