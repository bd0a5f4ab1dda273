"""Hooks that a model can run before and after its process."""
from typing import Any, List, Tuple

from torch import Tensor, nn

from ..networks import ProcessNetwork
from .network_calls import NetworkCalls


class Hooks:
    """Default hooks, for a process that works on the images directly.

    Latent and refining models override only these methods.
    """

    #: Scale factor from the states of the process to an image.
    downscale = 1
    #: Whether :meth:`condition` estimates the mean of the restored images.
    refines = False

    def networks(self) -> List[nn.Module]:
        """Return the networks of the hooks, which move with the pipeline."""
        return []

    def image_channels(self, network: nn.Module) -> int:
        """Return the number of channels of the images for the network of the
        process."""
        return network.in_channels

    def condition(self, inputs: Tensor) -> Tensor:
        """Return the images mu in which the process ends, (B, C, H, W) in
        [0, 1], for degraded images."""
        return inputs

    def encode(self, images: Tensor) -> Tuple[Tensor, Any]:
        """Return noise-free states (B, C', H', W') for images, and a context
        of degraded images that is passed to :meth:`decode`."""
        return images, None

    def decode(self, x: Tensor, context: Any) -> Tensor:
        """Return images (B, C, H, W) for states."""
        return x

    def padding(self, network: nn.Module, height: int,
                width: int) -> Tuple[int, int]:
        """Return the size to which a network pads an image; images with equal
        padded sizes can share a batch."""
        if not isinstance(network, ProcessNetwork):
            return height, width
        d = network.divisor
        return height + -height % d, width + -width % d


class Refinement(Hooks):
    """Hooks for a process that refines the result of a regression network.

    Source: Whang et al., CVPR 2022 (predict and refine, there with DDPM).

    Args:
        initial (nn.Module): The regression network, from degraded to restored
            images in [0, 1].
        calls (NetworkCalls): Settings for its calls.
    """

    refines = True

    def __init__(self, initial: nn.Module, calls: NetworkCalls) -> None:
        self.initial = initial
        self.calls = calls

    def networks(self) -> List[nn.Module]:
        return [self.initial]

    def padding(self, network: nn.Module, height: int,
                width: int) -> Tuple[int, int]:
        """Return the size unchanged, because the regression network may pad
        differently."""
        return height, width

    def condition(self, inputs: Tensor) -> Tensor:
        return self.calls.once(self.initial, inputs).clamp(0, 1)
