"""Settings of a training in its checkpoints."""
from typing import List

from mmengine.dataset import pseudo_collate
from mmengine.dist import broadcast_object_list
from mmengine.hooks import Hook
from torch.utils.data import Dataset

from ...registry import HOOKS
from ..capabilities import WithSettings
from ..draws import MEASURE, seeded
from ..unwrapping import unwrapped

#: Training samples on which an output measures what it needs.
SAMPLES = 64


@HOOKS.register_module()
class SettingsHook(Hook):
    """Writes the model's settings to checkpoints and compares them on load.

    What a model measures on training data is measured before training, on 64
    samples, unless a checkpoint has it: one value for all processes.

    For models :class:`WithSettings`, such as :class:`IRSDERestorer`; other
    models are left alone.
    """

    # before a hook that loads weights (EMAHook) sees the checkpoint
    priority = 'VERY_HIGH'

    def before_train(self, runner) -> None:
        model = unwrapped(runner.model)
        if not isinstance(model, WithSettings) \
                or None not in model.measured.values():
            return
        # draws nothing from the generators of training
        with seeded(runner.seed, MEASURE):
            model.measure(samples_of(runner.train_dataloader.dataset))
        values = [model.measured]
        broadcast_object_list(values)
        model.adopt_output(values[0])
        runner.logger.info('Measured on the training data: ' + ', '.join(
            f'{name}={value:.6g}' for name, value in values[0].items()))

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        model = unwrapped(runner.model)
        if isinstance(model, WithSettings):
            checkpoint['meta']['irsde_mm'] = model.settings

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Raises CheckpointError where checkpoint and model disagree."""
        model = unwrapped(runner.model)
        if isinstance(model, WithSettings):
            model.check_checkpoint(checkpoint)
            model.adopt_settings(checkpoint)


def samples_of(dataset: Dataset) -> List[dict]:
    """Batches of one sample from all over a dataset; of a small one, several
    random versions of each."""
    return [pseudo_collate([dataset[i * len(dataset) // SAMPLES]])
            for i in range(SAMPLES)]
