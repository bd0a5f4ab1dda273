"""A process that starts where a regression ends."""
from typing import Dict, Optional, Tuple

import torch
from mmagic.structures import DataSample
from torch import Tensor

from ...errors import CheckpointError, ConfigError
from ...registry import MODELS
from ...weight_files import read_plain
from .irsde_restorer import IRSDERestorer
from .settings import check_weights, full_settings


@MODELS.register_module()
class RefiningRestorer(IRSDERestorer):
    """Restores what another network has restored before: mu is its result.

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
        self.settings['initial'] = full_settings(MODELS, initial)
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
            for key, value in read_plain(path).get('state_dict', {}).items()
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

    def padded_size(self, height: int, width: int) -> Tuple[int, int]:
        """The size itself: how the first network pads is its own affair."""
        return height, width

    def initial_image(self, inputs: Tensor) -> Tensor:
        """What the first network makes of (B, C, H, W), in [0, 1]."""
        with torch.no_grad():
            return self.call_network(self.initial, inputs).clamp(0, 1)

    def forward_train(self, inputs: Tensor, data_samples: DataSample,
                      **kwargs) -> Dict[str, Tensor]:
        """As :meth:`IRSDERestorer.forward_train`."""
        return super().forward_train(
            self.initial_image(inputs), data_samples, **kwargs)

    def bits_per_dim(self, inputs: Tensor, data_samples: DataSample,
                     num_times: int) -> Tensor:
        """As :meth:`IRSDERestorer.bits_per_dim`."""
        return super().bits_per_dim(
            self.initial_image(inputs), data_samples, num_times)

    def forward_tensor(self, inputs: Tensor,
                       data_samples: Optional[DataSample] = None,
                       **kwargs) -> Tensor:
        """As :meth:`IRSDERestorer.forward_tensor`."""
        return super().forward_tensor(
            self.initial_image(inputs), data_samples, **kwargs)
