"""Process on the latents of an autoencoder."""
from typing import Any, Optional, Tuple

import torch
from mmagic.structures import DataSample
from torch import Tensor, nn

from ...errors import ConfigError
from ...inference import LatentHooks
from ...registry import MODELS
from .frozen import load_frozen
from .irsde_restorer import IRSDERestorer
from .settings import full_settings


@MODELS.register_module()
class LatentRestorer(IRSDERestorer):
    """Restorer whose process runs on the latents of a frozen autoencoder.

    A latent has fewer pixels than the image, so large images need less time
    and memory. Source: Refusion (Luo et al., CVPRW 2023). See
    :class:`LatentHooks`.

    Args:
        autoencoder (dict): The autoencoder, the ``generator`` of an
            :class:`AutoencoderModel`.
        autoencoder_checkpoint (str, optional): Checkpoint of that model,
            loaded when training starts. Checkpoints of this model contain
            both networks, so resuming, testing and inference need no other
            file.
        **kwargs: Arguments of :class:`IRSDERestorer`. The ``in_channels`` of
            ``generator`` are those of the latent. The side of a tile refers
            to the image for the autoencoder and to the latent for the
            process.

    Raises:
        ConfigError: If the autoencoder does not fit the network, or the
            process needs images.
    """

    loads_checkpoint = False

    def __init__(self, autoencoder: dict,
                 autoencoder_checkpoint: Optional[str] = None,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        self.autoencoder = MODELS.build(autoencoder).requires_grad_(False)
        self.autoencoder_checkpoint = autoencoder_checkpoint
        self.latents = LatentHooks(self.autoencoder, self.generator, self.sde,
                                   self.calls)
        self.downscale = self.latents.downscale
        self._settings['autoencoder'] = full_settings(MODELS, autoencoder)
        self.train(self.training)

    def init_weights(self) -> None:
        """Load the weights of the autoencoder, unless a checkpoint of this
        model, which contains them, is loaded next.

        Raises:
            ConfigError: If no checkpoint is set.
            CheckpointError: If the checkpoint is missing or does not match the
                autoencoder.
        """
        super().init_weights()
        if not self.loads_checkpoint:
            load_frozen(self, 'autoencoder', 'autoencoder')

    def train(self, mode: bool = True):
        """Set the training mode; the autoencoder stays in eval mode."""
        super().train(mode)
        if 'autoencoder' in self._modules:
            self.autoencoder.eval()
        return self

    def image_channels(self, network: nn.Module) -> int:
        return self.latents.image_channels(network)

    def encode(self, images: Tensor) -> Tuple[Tensor, Any]:
        with torch.no_grad():
            return self.latents.encode(images)

    def decode(self, x: Tensor, context: Any) -> Tensor:
        return self.latents.decode(x, context)

    def padding(self, network: nn.Module, height: int,
                width: int) -> Tuple[int, int]:
        return self.latents.padding(network, height, width)

    def bits_per_dim(self, inputs: Tensor, data_samples: DataSample,
                     num_times: int) -> Tensor:
        """Raise ConfigError: the likelihood of a latent is not that of the
        image."""
        raise ConfigError('LatentRestorer has no likelihood of images, which '
                          'BitsPerDim needs; remove the metric.')
