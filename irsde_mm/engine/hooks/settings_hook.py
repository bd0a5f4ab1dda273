"""What a model was trained with travels in its checkpoints."""
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from ...registry import HOOKS


@HOOKS.register_module()
class SettingsHook(Hook):
    """Writes the model's settings to checkpoints and compares them on load.

    For models with ``settings`` and ``check_checkpoint``, such as
    :class:`IRSDERestorer`; others pass.
    """

    # before a hook that loads weights (EMAHook) sees the checkpoint
    priority = 'VERY_HIGH'

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        settings = getattr(self._model(runner), 'settings', None)
        if settings is not None:
            checkpoint['meta']['irsde_mm'] = settings

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Raises CheckpointError where checkpoint and model disagree."""
        check = getattr(self._model(runner), 'check_checkpoint', None)
        if check is not None:
            check(checkpoint)

    @staticmethod
    def _model(runner):
        model = runner.model
        return model.module if is_model_wrapper(model) else model
