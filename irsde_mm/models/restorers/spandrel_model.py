"""Models of the community as mmagic models."""
from typing import Optional

from ...errors import ConfigError
from ...registry import MODELS
from .super_resolver import SuperResolver


@MODELS.register_module()
class SpandrelModel(SuperResolver):
    """Model of the community, from its weights file alone.

    It can be tested and compared like mmagic's models, and be the ``initial``
    of :class:`RefiningRestorer`. Like :class:`SuperResolver`, it expects
    upsampled images if it enlarges them. It cannot be trained.

    Args:
        weights (str): Weights file, see :class:`SpandrelNetwork`.
        data_preprocessor (dict, optional): By default, RGB (or gray) in
            [0, 1].
        **kwargs: Arguments of :class:`TiledEditModel`.

    Raises:
        CheckpointError, ConfigError: If the file cannot be used.
    """

    #: The weights are loaded when the model is built.
    has_weights = True

    def __init__(self, weights: str, data_preprocessor: Optional[dict] = None,
                 **kwargs) -> None:
        super().__init__(
            generator=dict(type='irsde_mm.SpandrelNetwork', weights=weights),
            data_preprocessor=data_preprocessor or dict(
                type='mmagic.DataPreprocessor', mean=[0.] * 3,
                std=[255.] * 3, output_channel_order='RGB'), **kwargs)
        if self.generator.in_channels == 1 and data_preprocessor is None:
            raise ConfigError(
                f"'{weights}' restores gray images; set "
                'model.data_preprocessor to one of gray images.')
        self.in_channels = self.generator.in_channels
        self.divisor = self.scale * self.generator.divisor

    def check_trainable(self) -> None:
        raise ConfigError('SpandrelModel cannot be trained; to fine-tune its '
                          'result, use it as the initial network of a '
                          'RefiningRestorer.')
