"""Training of the autoencoder of a latent process."""
import copy
from typing import Any, Dict, List, Optional

from mmagic.structures import DataSample
from torch import Tensor

from ...errors import ConfigError
from ...registry import MODELS
from .tiled_model import TiledEditModel


@MODELS.register_module()
class AutoencoderModel(TiledEditModel):
    """Model that trains a :class:`LatentUNet` for a :class:`LatentRestorer`.

    The loss is the distance of the degraded image to its reconstruction, plus
    that of the clean image to its latent decoded with the features of the
    degraded image, plus ``reg_weight`` times :func:`regularization`. Source:
    Refusion (Luo et al., CVPRW 2023; the last term from its published code).

    In validation and testing, the result is the latent of the clean image,
    decoded with the features of the degraded image: the result of a process
    without errors, hence a limit for what a process on these latents reaches.

    Args:
        generator (dict): The autoencoder.
        pixel_loss (dict, optional): The distance; not needed for testing.
        reg_weight (float): Weight of the regularization.
        **kwargs: Arguments of :class:`TiledEditModel`.
    """

    def __init__(self, generator: dict, pixel_loss: Optional[dict] = None,
                 reg_weight: float = 0.001, **kwargs) -> None:
        super().__init__(generator, pixel_loss, **kwargs)
        self.reg_weight = reg_weight

    def forward_train(self, inputs: Tensor, data_samples: DataSample,
                      **kwargs) -> Dict[str, Tensor]:
        """Return the losses of one batch, which training adds up.

        Args:
            inputs (Tensor): Degraded images (B, C, H, W) in [0, 1].
            data_samples (DataSample): Samples with the clean images,
                ``gt_img``.

        Returns:
            dict: ``loss_rec`` of the degraded images, ``loss_rep`` of the
            clean images, and the weighted ``loss_reg``.
        """
        self.check_trainable()
        network, distance = self.generator, self.pixel_loss
        latent, hidden = network.encode(inputs)
        clean = data_samples.gt_img
        return dict(
            loss_rec=distance(network.decode(latent, hidden), inputs),
            loss_rep=distance(network.decode(network.encode(clean)[0],
                                             hidden), clean),
            loss_reg=self.reg_weight * regularization(latent, inputs))

    def val_step(self, data: Any) -> List[DataSample]:
        """Run a test step with the clean images as further inputs."""
        # a copy, because the preprocessor changes the samples
        pairs = self.data_preprocessor(copy.deepcopy(data), True)
        data = self.data_preprocessor(data, False)
        return self(**data, mode='predict',
                    clean=pairs['data_samples'].gt_img)

    test_step = val_step

    def forward_tensor(self, inputs: Tensor,
                       data_samples: Optional[DataSample] = None,
                       clean: Optional[Tensor] = None) -> Tensor:
        """Decode clean images with the features of degraded ones.

        Args:
            inputs, clean (Tensor): Degraded and clean images (B, C, H, W) in
                [0, 1].

        Returns:
            Tensor: Decoded images (B, C, H, W), not clipped.

        Raises:
            ConfigError: Without clean images.
        """
        if clean is None:
            raise ConfigError('AutoencoderModel does not restore images; '
                              'train a LatentRestorer with its checkpoint.')
        network = self.generator
        return network.decode(network.encode(clean)[0],
                              network.encode(inputs)[1])


def regularization(latent: Tensor, images: Tensor) -> Tensor:
    """Return the difference of a latent's mean to that of the images, plus
    that of its standard deviation to half of theirs."""
    return ((latent.mean() - images.mean()).abs()
            + (latent.std() - images.std() / 2).abs())
