"""mmagic's base model for images of any size."""
from typing import Optional, Tuple

from mmagic.models.base_models import BaseEditModel
from mmagic.structures import DataSample
from torch import Tensor

from ...errors import ConfigError
from ...inference.memory import bytes_per_pixel
from ...inference.network_calls import NetworkCalls
from ...registry import MODELS


@MODELS.register_module()
class TiledEditModel(BaseEditModel):
    """mmagic's ``BaseEditModel`` for images of any size.

    In testing, the network processes large images in overlapping tiles.
    Weights have the same names as in mmagic's model.

    Args:
        generator (dict): The network.
        pixel_loss (dict, optional): The loss; not needed for inference.
        **kwargs: Arguments of :class:`BaseEditModel`. ``test_cfg`` may contain
            ``tile`` and ``inference`` (dict), arguments of
            :class:`NetworkCalls`.

    Raises:
        ConfigError: If one of these is out of range.
    """

    #: Scale factor from the network's input to its output.
    output_scale = 1
    #: Keys of ``test_cfg``; the last two are common in mmagic's configs.
    test_settings = frozenset({'tile', 'inference', 'metrics', 'crop_border'})

    def __init__(self, generator: dict, pixel_loss: Optional[dict] = None,
                 **kwargs) -> None:
        # BaseEditModel always builds a loss.
        super().__init__(generator, pixel_loss or dict(type='mmagic.L1Loss'),
                         **kwargs)
        if pixel_loss is None:
            self.pixel_loss = None
        options = self.test_cfg or {}
        try:
            self.calls = NetworkCalls(
                options.get('tile', 'auto'), **(
                    options.get('inference') or {}),
                output_scale=self.output_scale)
        except TypeError as error:
            raise ConfigError(f'test_cfg.inference: {error}.') from error

    def forward_train(self, inputs: Tensor,
                      data_samples: Optional[DataSample] = None,
                      **kwargs) -> dict:
        """Return the losses, see :meth:`BaseEditModel.forward_train`.

        Raises:
            ConfigError: If the model has no loss.
        """
        self.check_trainable()
        return super().forward_train(inputs, data_samples, **kwargs)

    def check_trainable(self) -> None:
        """Check that the model has a loss.

        Raises:
            ConfigError: If it has none.
        """
        if self.pixel_loss is None:
            raise ConfigError('this model has no loss; to train it, set '
                              'model.pixel_loss.')

    def forward_tensor(self, inputs: Tensor,
                       data_samples: Optional[DataSample] = None,
                       **kwargs) -> Tensor:
        """Restore a batch, see :meth:`BaseEditModel.forward_tensor`."""
        if self.training:
            return self.generator(inputs, **kwargs)
        with self.calls.session() as session:
            restored = session(self.generator, inputs, **kwargs)
        return restored.clone()  # converts the inference tensor

    def padded_size(self, height: int, width: int) -> Tuple[int, int]:
        """Return the size to which an image is padded. Images with equal
        padded sizes can share a batch without affecting each other."""
        return height, width

    def call_bytes(self, height: int, width: int) -> int:
        """Return the peak memory in bytes of a network call for an image."""
        weight = next(self.generator.parameters())
        channels = getattr(self.generator, 'in_channels', 3)
        # expanded to the full size without allocating it
        images = (weight.new_zeros(1, channels, 1, 1).expand(
            1, channels, height // self.output_scale,
            width // self.output_scale), )
        tiling = self.calls.tiling(self.generator, self.generator, images)
        pixels = images[0][0, 0].numel() if tiling is None else (
            tiling.batch * tiling.side**2)
        return int(pixels * bytes_per_pixel(
            self.generator, self.generator, images, self.output_scale))
