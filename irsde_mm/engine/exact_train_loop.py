"""Training loop that can be interrupted anywhere."""
import inspect
from typing import Iterator, List, Optional, Tuple

import torch
from mmengine.dataset import DefaultSampler, InfiniteSampler
from mmengine.dist import broadcast_object_list, get_rank, get_world_size
from mmengine.registry import DATA_SAMPLERS, DATASETS
from mmengine.runner import BaseLoop, IterBasedTrainLoop
from mmengine.runner.utils import calc_dynamic_intervals

from ..datasets.image_cache import close_files
from ..errors import ConfigError
from ..io.shards import close_shards
from ..registry import LOOPS, find
from .draws import ITERATION, DataOrder, SeededDataset, seed_all
from .loops import dataloaders_of
from .workers import end_workers


@LOOPS.register_module()
class ExactTrainLoop(IterBasedTrainLoop):
    """Iteration-based training loop with exact resuming.

    Data order, augmentation and noise are functions of (seed, process,
    iteration), so a resumed run continues bit for bit as if it had not
    stopped, without loading the previous batches again. Needed with mmengine
    <= 0.10.7, which does not store the random state and reloads all previous
    batches.

    Args:
        runner (Runner): mmengine's runner.
        dataloader (dict): Config with an ``InfiniteSampler`` or a
            ``DefaultSampler``; both are treated as endless.
        max_iters (int): Number of iterations.
        val_begin (int): First iteration after which to validate.
        val_interval (int): Iterations between validations.
        dynamic_intervals (list[tuple[int, int]], optional): Start iterations
            and validation intervals from then on.

    Raises:
        ConfigError: If the dataloader has another sampler.
    """

    def __init__(self, runner, dataloader: dict, max_iters: int,
                 val_begin: int = 1, val_interval: int = 1000,
                 dynamic_intervals: Optional[List[Tuple[int, int]]] = None
                 ) -> None:
        # IterBasedTrainLoop.__init__ would start workers at sample 0
        BaseLoop.__init__(self, runner, use_data_order(dataloader))
        self._max_iters = int(max_iters)
        self._max_epochs = 1  # read by hooks
        self._epoch = self._iter = 0
        #: Seed and stream of the data order, set when training starts.
        self.seed = self.stream = 0
        self.dataloader_iterator: Optional[Iterator] = None
        self.val_begin, self.val_interval = val_begin, val_interval
        self.dynamic_milestones, self.dynamic_intervals = \
            calc_dynamic_intervals(val_interval, dynamic_intervals)
        self.stop_training = False
        #: Checkpoint to return to, set by a hook.
        self.return_to: Optional[str] = None
        runner.visualizer.dataset_meta = getattr(
            self.dataloader.dataset, 'metainfo', None)

    def run(self) -> torch.nn.Module:
        """Train until ``max_iters`` and return the model."""
        runner = self.runner
        runner.call_hook('before_train')
        runner.call_hook('before_train_epoch')
        self._compare_conditions()
        self._start_data()
        try:
            if 0 < self._iter == self._max_iters:
                # the run was interrupted during its last validation
                self._validate()
            while self._iter < self._max_iters and not self.stop_training:
                self._advance()
        finally:
            self._end_data()
        runner.call_hook('after_train_epoch')
        runner.call_hook('after_train')
        return runner.model

    def _advance(self) -> None:
        """Run one iteration and the validation due after it."""
        self.runner.model.train()
        self.run_iter(next(self.dataloader_iterator))
        if self.return_to is not None:
            self._return()
            return
        self._decide_current_val_interval()
        if self._iter % self.val_interval == 0 \
                or self._iter == self._max_iters:
            self._validate()

    def run_iter(self, data_batch) -> None:
        """Run one iteration with its own random seed."""
        seed_all(self.seed, ITERATION, self.stream, get_rank(), self._iter)
        super().run_iter(data_batch)

    def _validate(self) -> None:
        if self.runner.val_loop is not None and self._iter >= self.val_begin:
            self.runner.val_loop.run()

    def _start_data(self) -> None:
        """Create an iterator that starts at the current iteration's batch."""
        seed = [self.runner.seed]  # may differ between processes
        broadcast_object_list(seed)
        self.seed = seed[0]
        self.stream = self.runner.message_hub.runtime_info.get(
            'data_stream', 0)
        self.dataloader.sampler.start_at(
            self.seed, self.stream, self._iter * self.dataloader.batch_size)
        self.dataloader_iterator = iter(self.dataloader)

    def _end_data(self) -> None:
        """Shut down workers and close files that would outlive the run.

        Dataloaders and exception tracebacks keep the workers of training and
        validation alive.
        """
        iterator, self.dataloader_iterator = self.dataloader_iterator, None
        end_workers([self.dataloader, *dataloaders_of(self.runner.val_loop)],
                    iterator)
        close_files()
        close_shards()

    def _return(self) -> None:
        """Continue from an earlier checkpoint with other data and noise."""
        path, self.return_to = self.return_to, None
        self.runner._resume = True  # EMAHook restores only on resume
        self.runner.resume(path)
        self.runner.message_hub.update_info('data_stream', self.stream + 1)
        self._start_data()

    def _compare_conditions(self) -> None:
        """Warn if a resumed run cannot be exact."""
        now = dict(processes=get_world_size(),
                   batch_size=self.dataloader.batch_size,
                   threads=torch.get_num_threads(),
                   torch=str(torch.__version__))
        hub = self.runner.message_hub
        before = hub.runtime_info.get('conditions', now)
        changes = [f'{key}: {before[key]} before, {now[key]} now'
                   for key in now if before[key] != now[key]]
        if self._iter and changes:
            self.runner.logger.warning(
                'The resumed run will differ from an uninterrupted one: '
                + '; '.join(changes))
        hub.update_info('conditions', now)


def use_data_order(dataloader: dict) -> dict:
    """Replace the sampler in a dataloader config by a DataOrder.

    Raises:
        ConfigError: If it is another kind of sampler.
    """
    sampler = dataloader['sampler']
    name = sampler['type']
    cls = name if inspect.isclass(name) else find(DATA_SAMPLERS, name)
    if 'batch_sampler' in dataloader or cls not in (
            InfiniteSampler, DefaultSampler):
        raise ConfigError(
            'irsde_mm.ExactTrainLoop needs an InfiniteSampler or a '
            'DefaultSampler; for other samplers set '
            'train_cfg.type=IterBasedTrainLoop, which does not resume '
            'exactly.')
    dataset = DATASETS.build(dataloader['dataset'])
    if hasattr(dataset, 'full_init'):
        dataset.full_init()
    return dict(dataloader, dataset=SeededDataset(dataset),
                sampler=DataOrder(len(dataset), sampler.get('shuffle', True)))
