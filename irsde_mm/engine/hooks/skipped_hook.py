"""Images that failed during training are named and counted."""
from typing import Dict, Optional

from mmengine.dist import all_gather_object, get_world_size
from mmengine.hooks import Hook

from ...datasets.base import check_skipped
from ...registry import HOOKS


@HOOKS.register_module()
class SkippedImagesHook(Hook):
    """Logs the images that a dataset skipped, and stops at too many.

    For datasets with ``max_skipped`` (:class:`ImageFilesDataset`): workers
    and processes skip for themselves, this counts over all of them. The count
    starts anew when a run is resumed.

    Args:
        interval (int): Iterations between counts over several processes; a
            single process counts in every iteration.

    Raises:
        DataError: In training, from every process, above the limit.
    """

    def __init__(self, interval: int = 50) -> None:
        self.interval = interval
        self.seen: Dict[str, None] = {}  # by all
        self.fresh: Dict[str, None] = {}  # by this process, not counted yet

    def before_train_iter(self, runner, batch_idx: int,
                          data_batch: Optional[dict] = None) -> None:
        samples = data_batch.get('data_samples') or [] if isinstance(
            data_batch, dict) else []
        for sample in samples:
            self.fresh.update(dict.fromkeys(sample.get('skipped') or []))
        if get_world_size() == 1 or (runner.iter + 1) % self.interval == 0:
            self._count(runner)

    def after_train(self, runner) -> None:
        self._count(runner)

    def _count(self, runner) -> None:
        for names in all_gather_object(list(self.fresh)):
            for name in names:
                if name not in self.seen:
                    self.seen[name] = None
                    runner.logger.warning(
                        f'skipped image {len(self.seen)}: {name}')
        self.fresh.clear()
        limit = getattr(runner.train_dataloader.dataset, 'max_skipped', None)
        if limit is not None:  # none: its processes limit themselves
            check_skipped(list(self.seen), limit)
