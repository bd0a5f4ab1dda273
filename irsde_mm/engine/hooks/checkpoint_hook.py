"""Hook that writes checkpoints atomically."""
from pathlib import Path
from typing import Optional

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook as _CheckpointHook

from ...errors import ConfigError, OutputError
from ...io.files import PART, remove_parts, replace, write_text
from ...model_files.runs import POINTER
from ...registry import HOOKS


@HOOKS.register_module()
class CheckpointHook(_CheckpointHook):
    """mmengine's checkpoint hook with atomic writes.

    A kill or a full disk cannot damage a checkpoint: each file is written to a
    temporary file next to its destination, synced and renamed. Then
    ``last_checkpoint`` is updated, and outdated files are removed. mmengine
    <= 0.10.7 removes files first and writes in place. If a file cannot be
    written, the error is logged, training continues and the next interval
    tries again.

    Args:
        **kwargs: Arguments of mmengine's ``CheckpointHook``.
            ``max_keep_ckpts`` applies to the latest checkpoints; ``save_best``
            also keeps the best ones. Only local folders are supported.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        #: Why the last checkpoint could not be written.
        self.failure: Optional[str] = None
        #: Iteration or epoch of the last checkpoint written.
        self.last_saved: Optional[int] = None
        self.meta: dict = {}  # of the checkpoint being written

    def before_train(self, runner) -> None:
        """Raise ConfigError if checkpoints are not saved to a local folder."""
        if self.backend_args or self.file_client_args:
            raise ConfigError('irsde_mm.CheckpointHook only writes to local '
                              'folders; remove backend_args and '
                              'file_client_args.')
        super().before_train(runner)
        self.failure = self.last_saved = None
        if is_main_process():
            remove_parts(self.out_dir)

    def save_now(self, runner, iteration: int) -> None:
        """Save a checkpoint between two intervals.

        Args:
            runner (Runner): mmengine's runner.
            iteration (int): Number of completed iterations.
        """
        self._save_checkpoint_with_step(
            runner, iteration, dict(epoch=runner.epoch, iter=iteration))

    def after_train(self, runner) -> None:
        """Raise OutputError if the last checkpoint could not be written."""
        if self.failure:
            raise OutputError(f'the last checkpoint is missing: '
                              f'{self.failure}')
        super().after_train(runner)

    def _save_checkpoint_with_step(self, runner, step: int,
                                   meta: dict) -> None:
        hub = runner.message_hub
        before = hub.runtime_info.get('keep_ckpt_ids', [])
        keep = [i for i in before if i != step] + [step]
        if self.max_keep_ckpts > 0:
            keep = keep[-self.max_keep_ckpts:]
        name = self.filename_tmpl.format(step)
        self.last_ckpt = str(Path(self.out_dir) / name)
        hub.update_info('keep_ckpt_ids', keep)
        hub.update_info('last_ckpt', self.last_ckpt)
        if not self._write(runner, name, meta,
                           save_optimizer=self.save_optimizer,
                           save_param_scheduler=self.save_param_scheduler):
            hub.update_info('keep_ckpt_ids', before)
            return
        self.last_saved = step
        if is_main_process():
            for old in set(before) - set(keep):
                self._path(self.filename_tmpl.format(old)).unlink(
                    missing_ok=True)

    def _save_best_checkpoint(self, runner, metrics: dict) -> None:
        if not self.save_best:
            return
        if 'auto' in self.key_indicators:
            self._init_rule(self.rules, [next(iter(metrics))])
        step = runner.epoch if self.by_epoch else runner.iter
        meta = dict(epoch=runner.epoch, iter=runner.iter)
        better = [self._save_if_best(runner, key, rule, metrics, step, meta)
                  for key, rule in zip(self.key_indicators, self.rules)]
        if any(better) and self.last_ckpt is not None:
            # the checkpoint to resume from must contain the best score
            self._save_checkpoint_with_step(runner, step, meta)

    def _save_if_best(self, runner, key: str, rule: str, metrics: dict,
                      step: int, meta: dict) -> bool:
        if key not in metrics:
            raise ConfigError(f"save_best='{key}': validation has no such "
                              f'score; it reports {", ".join(metrics)}.')
        hub = runner.message_hub
        suffix = '' if len(self.key_indicators) == 1 else f'_{key}'
        score, best = f'best_score{suffix}', f'best_ckpt{suffix}'
        info = hub.runtime_info
        if metrics[key] is None or not self.is_better_than[key](
                metrics[key], info.get(score, self.init_value_map[rule])):
            return False
        path = self._path(f'best_{key}_{self.filename_tmpl.format(step)}'
                          .replace('/', '_'))
        if not self._write(runner, path.name, meta, save_optimizer=False,
                           save_param_scheduler=False):
            return False
        runner.logger.info(f'Best checkpoint: {path.name} with {key} '
                           f'{metrics[key]:.4f}.')
        before = Path(info.get(best) or path).name
        if is_main_process() and before != path.name:
            self._path(before).unlink(missing_ok=True)
        hub.update_info(score, metrics[key])
        hub.update_info(best, str(path))
        return True

    def _path(self, name: str) -> Path:
        return Path(self.out_dir) / name

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Restore the number of iterations, which mmengine's FlexibleRunner
        replaces by that of a checkpoint saved within an iteration."""
        checkpoint['meta'].update(self.meta)

    def _write(self, runner, name: str, meta: dict, **what) -> bool:
        """Write a checkpoint and return True on success."""
        part = self._path(name + PART)
        self.failure, self.meta = None, dict(meta)
        try:
            runner.save_checkpoint(self.out_dir, part.name, meta=dict(meta),
                                   by_epoch=self.by_epoch, **what,
                                   **self.args)
            self.meta = {}
            if is_main_process():
                replace(part, self._path(name))
                if str(self._path(name)) == self.last_ckpt:
                    write_text(Path(runner.work_dir) / POINTER,
                               self.last_ckpt)
        except OSError as error:
            part.unlink(missing_ok=True)
            self.failure = f"'{name}' was not written: {error}"
            runner.logger.error(self.failure + '; earlier checkpoints are '
                                'kept, and the next interval tries again.')
            return False
        return True
