"""Networks of the community, built by spandrel from a weights file."""
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import CheckpointError, missing_package
from ...io.weights import read_plain
from ...model_files.exported import SETTINGS
from ...registry import MODELS


@MODELS.register_module()
class SpandrelNetwork(nn.Module):
    """Network of any architecture that spandrel recognizes by its weights.

    The file has the published layout of the architecture: Real-ESRGAN,
    SwinIR, NAFNet, SCUNet and others (`list
    <https://github.com/chaiNNer-org/spandrel>`_). Reading it executes no
    code. The network is not trained here.

    Args:
        weights (str): The file, ``*.pth``, ``*.ckpt`` or ``*.safetensors``.

    Raises:
        CheckpointError: If the file is missing, broken, or of no architecture
            that restores whole images.
        ConfigError: If spandrel is not installed.
    """

    def __init__(self, weights: str) -> None:
        super().__init__()
        self.descriptor = load(weights)
        self.network = self.descriptor.model.requires_grad_(False)
        needs = self.descriptor.size_requirements
        self.in_channels = self.descriptor.input_channels
        #: Factor from the sides of the input to those of the output.
        self.scale = self.descriptor.scale
        self.divisor = needs.multiple_of

    def forward(self, images: Tensor) -> Tensor:
        """Restore images.

        Args:
            images (Tensor): Degraded images (B, C, H, W) in [0, 1], RGB.

        Returns:
            Tensor: Restored images (B, C, scale H, scale W) in [0, 1].
        """
        # spandrel pads and restores single images
        return torch.cat([self.descriptor(image[None]) for image in images])


def recognizes(path: str) -> bool:
    """Return True if spandrel is installed and knows the architecture of a
    weights file, unless irsde_mm exported it."""
    try:
        import spandrel
    except ImportError:
        return False
    try:
        weights = spandrel.canonicalize_state_dict(read(path))
    except CheckpointError:
        return False
    return SETTINGS not in weights and any(
        entry.detect(weights)
        for entry in spandrel.MAIN_REGISTRY.architectures())


def load(path: str) -> Any:
    """Return spandrel's description of a model.

    Raises:
        CheckpointError, ConfigError: See :class:`SpandrelNetwork`.
    """
    try:
        import spandrel
    except ImportError as error:
        raise missing_package(error) or error from error
    weights = read(path)
    try:
        found = spandrel.ModelLoader().load_from_state_dict(weights)
    except spandrel.UnsupportedModelError:
        raise CheckpointError(
            f"'{path}' is of no architecture that spandrel "
            f'{spandrel.__version__} recognizes.') from None
    except (RuntimeError, KeyError, ValueError, TypeError,
            AttributeError) as error:
        raise CheckpointError(
            f"'{path}' is incomplete, or of an unknown variant of its "
            f'architecture: {" ".join(str(error).split())[:200]}') from error
    channels = found.input_channels, found.output_channels
    if not isinstance(found, spandrel.ImageModelDescriptor) or (
            found.purpose == 'FaceSR'):
        raise CheckpointError(f"'{path}' ({found.architecture.name}) does not "
                              'restore whole images.')
    if channels not in ((1, 1), (3, 3)):
        raise CheckpointError(
            f"'{path}' ({found.architecture.name}) has {channels[0]} input "
            f'and {channels[1]} output channels, but 1 or 3 are supported.')
    return found


def read(path: str) -> dict:
    """Read the weights of a file in any layout.

    Raises:
        CheckpointError: If the file is missing or broken.
    """
    if Path(path).suffix != '.safetensors':
        return read_plain(path)
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"cannot read '{path}': {error}.") from error
