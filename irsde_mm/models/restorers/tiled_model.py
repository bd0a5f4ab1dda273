"""mmagic's plain model for images of any size."""
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

    In testing its network gets large images in overlapping tiles. The weights
    have the names that they have in mmagic's model.

    Args:
        generator (dict): The network.
        pixel_loss (dict, optional): The loss; a model that only restores
            needs none.
        **kwargs: :class:`BaseEditModel`'s. ``test_cfg`` may have ``tile`` and
            ``inference`` (dict), :class:`NetworkCalls`' arguments.

    Raises:
        ConfigError: If one of these is out of its range.
    """

    #: How many times larger than its input the network's result is.
    enlarges = 1
    #: Keys of ``test_cfg``; the last two are a habit of mmagic's configs.
    test_settings = frozenset({'tile', 'inference', 'metrics', 'crop_border'})

    def __init__(self, generator: dict, pixel_loss: Optional[dict] = None,
                 **kwargs) -> None:
        # BaseEditModel builds a loss in any case
        super().__init__(generator, pixel_loss or dict(type='mmagic.L1Loss'),
                         **kwargs)
        if pixel_loss is None:
            self.pixel_loss = None
        options = self.test_cfg or {}
        try:
            self.calls = NetworkCalls(options.get('tile', 'auto'), **(
                options.get('inference') or {}), enlarges=self.enlarges)
        except TypeError as error:
            raise ConfigError(f'test_cfg.inference: {error}.') from error

    def forward_train(self, inputs: Tensor,
                      data_samples: Optional[DataSample] = None,
                      **kwargs) -> dict:
        """As :meth:`BaseEditModel.forward_train`.

        Raises:
            ConfigError: If the model has no loss.
        """
        self.check_trainable()
        return super().forward_train(inputs, data_samples, **kwargs)

    def check_trainable(self) -> None:
        """Refuses a model that only restores.

        Raises:
            ConfigError: Naming the key.
        """
        if self.pixel_loss is None:
            raise ConfigError('this model only restores: to train it, set '
                              'model.pixel_loss.')

    def forward_tensor(self, inputs: Tensor,
                       data_samples: Optional[DataSample] = None,
                       **kwargs) -> Tensor:
        """As :meth:`BaseEditModel.forward_tensor`."""
        if self.training:
            return self.generator(inputs, **kwargs)
        with self.calls.session() as session:
            restored = session(self.generator, inputs, **kwargs)
        return restored.clone()  # a normal tensor

    def padded_size(self, height: int, width: int) -> Tuple[int, int]:
        """Size to which an image is padded: images that this makes equal can
        be restored in one batch, each as if it were alone."""
        return height, width

    def call_bytes(self, height: int, width: int) -> int:
        """Bytes that a network call holds at its peak for an image."""
        weight = next(self.generator.parameters())
        channels = getattr(self.generator, 'in_channels', 3)
        # of the whole size, without taking its memory
        images = (weight.new_zeros(1, channels, 1, 1).expand(
            1, channels, height // self.enlarges, width // self.enlarges), )
        tiling = self.calls.tiling(self.generator, self.generator, images)
        shown = images[0][0, 0].numel() if tiling is None else (
            tiling.batch * tiling.side**2)
        return int(shown * bytes_per_pixel(
            self.generator, self.generator, images))
