"""Hook that counts images skipped during training."""
from typing import Dict, Optional

from mmengine.dist import all_gather_object, get_world_size
from mmengine.hooks import Hook

from ...datasets.base import check_skipped
from ...registry import HOOKS


@HOOKS.register_module()
class SkippedImagesHook(Hook):
    """Hook that logs skipped images and stops training above a limit.

    It applies to datasets with ``max_skipped`` (:class:`ImageFilesDataset`).
    Workers and processes skip images independently; this hook counts over all
    of them. The count starts at zero when a run is resumed.

    Args:
        interval (int): Iterations between counts over several processes. A
            single process counts in every iteration.

    Raises:
        DataError: During training, in every process, above the limit.
    """

    def __init__(self, interval: int = 50) -> None:
        self.interval = interval
        self.seen: Dict[str, None] = {}  # in all processes
        self.uncounted: Dict[str, None] = {}  # in this process

    def before_train_iter(self, runner, batch_idx: int,
                          data_batch: Optional[dict] = None) -> None:
        samples = data_batch.get('data_samples') or [] if isinstance(
            data_batch, dict) else []
        for sample in samples:
            self.uncounted.update(dict.fromkeys(sample.get('skipped') or []))
        if get_world_size() == 1 or (runner.iter + 1) % self.interval == 0:
            self._count(runner)

    def after_train(self, runner) -> None:
        self._count(runner)

    def _count(self, runner) -> None:
        for names in all_gather_object(list(self.uncounted)):
            for name in names:
                if name not in self.seen:
                    self.seen[name] = None
                    runner.logger.warning(
                        f'skipped image {len(self.seen)}: {name}')
        self.uncounted.clear()
        limit = getattr(runner.train_dataloader.dataset, 'max_skipped', None)
        if limit is not None:  # otherwise each process has its own limit
            check_skipped(list(self.seen), limit)
