"""Process that refines the result of a regression network."""
from typing import Optional, Tuple

import torch
from torch import Tensor, nn

from ...inference import Refinement
from ...registry import MODELS
from .frozen import load_frozen
from .irsde_restorer import IRSDERestorer
from .settings import full_settings


@MODELS.register_module()
class RefiningRestorer(IRSDERestorer):
    """Restorer that refines the result of an initial network, used as mu.

    The initial network is frozen and removes the degradation as far as
    regression can; the process adds detail that is missing in the mean of all
    possible images (predict and refine: Whang et al., CVPR 2022, there with
    DDPM).

    Args:
        initial (dict): The initial network, from degraded to restored images
            in [0, 1]: the ``generator`` of a baseline's config.
        initial_checkpoint (str, optional): Checkpoint of that baseline, loaded
            when training starts. Checkpoints of this model contain both
            networks, so resuming, testing and inference need no other file.
        **kwargs: Arguments of :class:`IRSDERestorer`.
    """

    loads_checkpoint = False
    refines = True

    def __init__(self, initial: dict,
                 initial_checkpoint: Optional[str] = None, **kwargs) -> None:
        super().__init__(**kwargs)
        self.initial = MODELS.build(initial).requires_grad_(False)
        self.initial_checkpoint = initial_checkpoint
        self.refinement = Refinement(self.initial, self.calls)
        self._settings['initial'] = full_settings(MODELS, initial)
        self.train(self.training)

    def init_weights(self) -> None:
        """Load the weights of the initial network, unless a checkpoint of
        this model, which contains them, is loaded next.

        Raises:
            ConfigError: If no checkpoint is set.
            CheckpointError: If the checkpoint is missing or does not match the
                network.
        """
        super().init_weights()
        if not self.loads_checkpoint and not getattr(
                self.initial, 'has_weights', False):
            load_frozen(self, 'initial', 'initial network')

    def train(self, mode: bool = True):
        """Set the training mode; the initial network stays in eval mode."""
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
