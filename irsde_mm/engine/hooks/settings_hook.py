"""Hook that stores the model's settings in checkpoints."""
from typing import List

from mmengine.dataset import pseudo_collate
from mmengine.dist import broadcast_object_list
from mmengine.hooks import Hook
from torch.utils.data import Dataset

from ...model_files.checkpoints import check_weights
from ...registry import HOOKS
from ..capabilities import WithInitialNetwork, WithSettings
from ..draws import MEASURE, seeded
from ..unwrapping import unwrapped, whole_weights

#: Number of training samples used to measure values.
SAMPLES = 64


@HOOKS.register_module()
class SettingsHook(Hook):
    """Hook that saves the model's settings and checks them on load.

    Values that a model measures on training data are measured on 64 samples
    before training unless the checkpoint contains them. All processes use the
    same values.

    Settings are those of models :class:`WithSettings`, such as
    :class:`IRSDERestorer`. Of other models, only the weights are checked, and
    only in testing.
    """

    # run before hooks that load weights from the checkpoint (EMAHook)
    priority = 'VERY_HIGH'

    def before_run(self, runner) -> None:
        model = unwrapped(runner.model)
        if isinstance(model, WithInitialNetwork):
            model.loads_checkpoint = runner._load_from is not None

    def before_train(self, runner) -> None:
        model = unwrapped(runner.model)
        if not isinstance(model, WithSettings) \
                or None not in model.measured.values():
            return
        # does not change the random state of training
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
        """Raise CheckpointError if the checkpoint does not match the model."""
        model, training = unwrapped(runner.model), runner._train_loop
        if isinstance(model, WithSettings):
            differing = model.check_checkpoint(
                checkpoint, whole_weights(runner.model),
                start=training is not None and not runner._resume)
            if differing:
                runner.logger.warning('The weights were trained with other '
                                      'settings: ' + '; '.join(differing))
            model.adopt_settings(checkpoint)
        elif training is None:
            # mmengine only logs weights that are missing, which is enough to
            # start a training, but not to test; buffers may be derived
            derived = {name for name, _ in model.named_buffers()}
            own = {name: value for name, value in whole_weights(
                runner.model).items() if name not in derived}
            check_weights(checkpoint.get('state_dict', checkpoint), {
                name: value for name, value in own.items()
                if name.startswith('generator.')} or own)


def samples_of(dataset: Dataset) -> List[dict]:
    """Return batches of one sample each, spread over a dataset.

    In a small dataset, samples repeat with different augmentation.
    """
    return [pseudo_collate([dataset[i * len(dataset) // SAMPLES]])
            for i in range(SAMPLES)]
