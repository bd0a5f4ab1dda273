"""Settings that a resumed run takes from its checkpoint."""
from typing import Any, Dict, List

from mmengine.hooks import EMAHook, Hook
from mmengine.optim import OptimWrapper, OptimWrapperDict

from ...registry import HOOKS
from ..schedules import Schedule


@HOOKS.register_module()
class ResumeHook(Hook):
    """Names settings that a resumed run does not use, or lets it use them.

    mmengine restores the settings of optimizers and schedules together with
    their state. Those that differ in the config have no effect then; they are
    logged with both values. With ``new_schedule`` they are used: weights and
    moments are the checkpoint's, learning rates those that the config's
    schedule reaches at this iteration.

    Where the checkpoint holds an average of weights and the config has no
    ``EMAHook`` any more, training goes on from the raw weights, which the
    optimizer's moments belong to.

    Args:
        new_schedule (bool): Whether to use the config's settings.

    Raises:
        CheckpointError: If the optimizers, or without ``new_schedule`` the
            schedules, are of another kind.
    """

    def __init__(self, new_schedule: bool = False) -> None:
        self.new_schedule = new_schedule
        self.schedules: Dict[str, Schedule] = {}

    def before_run(self, runner) -> None:
        wrapper = runner.optim_wrapper
        if not isinstance(wrapper, (OptimWrapper, OptimWrapperDict)):
            return  # no training
        parts = dict(wrapper.items()) if isinstance(
            wrapper, OptimWrapperDict) else {'': wrapper}
        self.schedules = {
            name: Schedule(name, part, of_part(runner.param_schedulers, name))
            for name, part in parts.items()}

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        if not runner._resume:
            return
        if 'ema_state_dict' in checkpoint and not any(
                isinstance(hook, EMAHook) for hook in runner.hooks):
            use_raw_weights(checkpoint)
            runner.logger.warning(
                'The checkpoint holds an average of weights, but the config '
                'has no EMAHook: going on from the raw weights; the average '
                'is dropped.')
        if self.schedules and 'optimizer' in checkpoint:
            self._compare_or_renew(runner, checkpoint)

    def _compare_or_renew(self, runner, checkpoint: dict) -> None:
        optimizers = {name: of_part(checkpoint['optimizer'], name)
                      for name in self.schedules}
        if self.new_schedule:
            states = {name: schedule.renew(optimizers[name],
                                           checkpoint['meta'])
                      for name, schedule in self.schedules.items()}
            checkpoint['param_schedulers'] = states.get('', states)
            runner.logger.info('Optimizer settings and schedule are those of '
                               "the config, not the checkpoint's.")
            return
        found: List[str] = []
        for name, schedule in self.schedules.items():
            found += schedule.compare(optimizers[name], of_part(
                checkpoint.get('param_schedulers'), name))
        if found:
            runner.logger.warning(
                'Optimizer and schedule go on as in the checkpoint. Settings '
                f'of the config that are not used: {"; ".join(found)}. To use '
                'them, resume with --new-schedule '
                '(default_hooks.resume.new_schedule=True).')


def of_part(values: Any, name: str) -> Any:
    """The part of one of several optimizers; '' names the only one."""
    if name and not isinstance(values, dict):
        return []
    return values.get(name) or [] if name else values or []


def use_raw_weights(checkpoint: dict) -> None:
    """Undoes that EMAHook exchanges raw and averaged weights in files."""
    average = checkpoint.pop('ema_state_dict')
    for key, value in average.items():
        if key.startswith('module.'):
            checkpoint['state_dict'][key.removeprefix('module.')] = value
