"""Hook that compares the config's settings with those of a checkpoint."""
from typing import Any, Dict, List

from mmengine.hooks import EMAHook, Hook
from mmengine.optim import OptimWrapper, OptimWrapperDict

from ...registry import HOOKS
from ..schedules import Schedule


@HOOKS.register_module()
class ResumeHook(Hook):
    """Hook that reports optimizer settings overridden by resuming.

    mmengine restores the settings of optimizers and schedules together with
    their state, so those that differ in the config have no effect. They are
    logged with both values. With ``new_schedule`` the config's settings are
    used: weights and moments come from the checkpoint, learning rates from
    the config's schedule at this iteration.

    If the checkpoint contains averaged weights but the config no longer has an
    ``EMAHook``, training continues from the raw weights, which match the
    optimizer's moments.

    Args:
        new_schedule (bool): Use the config's settings.

    Raises:
        CheckpointError: If the optimizers do not match the checkpoint, or if
            the schedules do not and ``new_schedule`` is False.
    """

    def __init__(self, new_schedule: bool = False) -> None:
        self.new_schedule = new_schedule
        self.schedules: Dict[str, Schedule] = {}

    def before_run(self, runner) -> None:
        wrapper = runner.optim_wrapper
        if not isinstance(wrapper, (OptimWrapper, OptimWrapperDict)):
            return  # not training
        parts = dict(wrapper.items()) if isinstance(
            wrapper, OptimWrapperDict) else {'': wrapper}
        self.schedules = {
            name: Schedule(name, part,
                           select_part(runner.param_schedulers, name))
            for name, part in parts.items()}

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        if not runner._resume:
            return
        if 'ema_state_dict' in checkpoint and not any(
                isinstance(hook, EMAHook) for hook in runner.hooks):
            use_raw_weights(checkpoint)
            runner.logger.warning(
                'The checkpoint contains averaged weights, but the config has '
                'no EMAHook; continuing from the raw weights and dropping '
                'the average.')
        if self.schedules and 'optimizer' in checkpoint:
            self._compare_or_renew(runner, checkpoint)

    def _compare_or_renew(self, runner, checkpoint: dict) -> None:
        optimizers = {name: select_part(checkpoint['optimizer'], name)
                      for name in self.schedules}
        if self.new_schedule:
            states = {name: schedule.renew(optimizers[name],
                                           checkpoint['meta'])
                      for name, schedule in self.schedules.items()}
            checkpoint['param_schedulers'] = states.get('', states)
            runner.logger.info('Using the optimizer settings and the schedule '
                               "of the config, not the checkpoint's.")
            return
        found: List[str] = []
        for name, schedule in self.schedules.items():
            found += schedule.compare(optimizers[name], select_part(
                checkpoint.get('param_schedulers'), name))
        if found:
            runner.logger.warning(
                'Using the optimizer and schedule settings of the checkpoint. '
                f'Ignored settings of the config: {"; ".join(found)}. To use '
                'them, resume with --new-schedule '
                '(default_hooks.resume.new_schedule=True).')


def select_part(values: Any, name: str) -> Any:
    """Return the part for a named optimizer; '' is the only optimizer."""
    if name and not isinstance(values, dict):
        return []
    return values.get(name) or [] if name else values or []


def use_raw_weights(checkpoint: dict) -> None:
    """Undo EMAHook's swap of raw and averaged weights in checkpoints."""
    average = checkpoint.pop('ema_state_dict')
    for key, value in average.items():
        if key.startswith('module.'):
            checkpoint['state_dict'][key.removeprefix('module.')] = value
