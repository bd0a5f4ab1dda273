"""A process that starts where a regression ends."""
from typing import Optional, Tuple

import torch
from torch import Tensor, nn

from ...errors import CheckpointError, ConfigError
from ...inference import Refinement
from ...model_files.checkpoints import check_weights, read_content
from ...registry import MODELS
from .irsde_restorer import IRSDERestorer
from .settings import full_settings


@MODELS.register_module()
class RefiningRestorer(IRSDERestorer):
    """Refines what another network has restored: mu is its result.

    The first network removes what a regression can, and is not trained on;
    the process adds the detail that the mean of all possible images lacks
    (predict and refine: Whang et al., CVPR 2022, there with DDPM).

    Args:
        initial (dict): The first network, from degraded to restored images in
            [0, 1]: the ``generator`` of a baseline's config.
        initial_checkpoint (str, optional): A checkpoint of that baseline,
            read when a training starts. The checkpoints of this model hold
            both networks: whoever tests or restores needs no other file.
        **kwargs: :class:`IRSDERestorer`'s.
    """

    def __init__(self, initial: dict,
                 initial_checkpoint: Optional[str] = None, **kwargs) -> None:
        super().__init__(**kwargs)
        self.initial = MODELS.build(initial).requires_grad_(False)
        self.initial_checkpoint = initial_checkpoint
        self.refinement = Refinement(self.initial, self.calls)
        self._settings['initial'] = full_settings(MODELS, initial)
        self.train(self.training)

    def init_weights(self) -> None:
        """Reads the weights of the first network.

        Raises:
            ConfigError: If no checkpoint is named.
            CheckpointError: If it is missing or of another network.
        """
        super().init_weights()
        path = self.initial_checkpoint
        if path is None:
            raise ConfigError('RefiningRestorer starts from the result of a '
                              'trained network: name its checkpoint in '
                              'model.initial_checkpoint.')
        prefix = 'generator.'
        weights = {
            key.removeprefix(prefix): value
            for key, value in read_content(path).get('state_dict', {}).items()
            if key.startswith(prefix)}
        try:
            check_weights(weights, self.initial.state_dict())
            self.initial.load_state_dict(weights)
        except (CheckpointError, RuntimeError) as error:
            raise CheckpointError(
                f"'{path}' is no checkpoint of model.initial: "
                f'{str(error).splitlines()[-1].strip()}') from error

    def train(self, mode: bool = True):
        """The first network stays as in testing."""
        super().train(mode)
        if 'initial' in self._modules:
            self.initial.eval()
        return self

    def condition(self, inputs: Tensor) -> Tensor:
        with torch.no_grad():
            return self.refinement.condition(inputs)

    def padding(self, network: nn.Module, height: int,
                width: int) -> Tuple[int, int]:
        return self.refinement.padding(network, height, width)
