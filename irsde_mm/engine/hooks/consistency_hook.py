"""Hook of consistency training."""
from mmengine.hooks import EMAHook

from ...errors import ConfigError
from ...registry import HOOKS
from ..capabilities import WithTarget
from ..unwrapping import unwrapped


@HOOKS.register_module()
class ConsistencyHook(EMAHook):
    """``EMAHook`` whose averaged weights are the target of a
    :class:`ConsistencyLoss`.

    Use it instead of ``EMAHook``, with the same arguments. Target and number
    of steps are functions of the checkpoint and the iteration, so that a run
    resumes exactly.

    Raises:
        ConfigError: Before training, if the model has no ConsistencyLoss.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.losses: list = []

    def before_run(self, runner) -> None:
        super().before_run(runner)
        self.losses = self._find(unwrapped(runner.model))
        for loss in self.losses:
            loss.estimate = self.ema_model.module.estimate

    def before_train_iter(self, runner, batch_idx: int,
                          data_batch=None) -> None:
        for loss in self.losses:
            loss.progress = runner.iter / runner.max_iters

    @staticmethod
    def _find(model) -> list:
        losses = [part for part in model.modules()
                  if isinstance(part, WithTarget)]
        if not losses:
            raise ConfigError(
                'ConsistencyHook: the model has no ConsistencyLoss; use '
                'EMAHook instead, or set model.pixel_loss.')
        return losses
