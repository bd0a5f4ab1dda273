"""What a model may do around its process."""
from typing import Any, List, Tuple

from torch import Tensor, nn

from ..networks import ProcessNetwork
from .network_calls import NetworkCalls


class Hooks:
    """Steps before and after a process; here it works on the images.

    A latent or refining model overrides these and nothing else.
    """

    #: How many times smaller than an image the states of the process are.
    downscale = 1

    def networks(self) -> List[nn.Module]:
        """Networks of the hooks, which move with the pipeline."""
        return []

    def condition(self, inputs: Tensor) -> Tensor:
        """Images that the process ends in, (B, C, H, W) in [0, 1], from
        degraded images."""
        return inputs

    def encode(self, images: Tensor) -> Tuple[Tensor, Any]:
        """States of images without noise, (B, C', H', W'), and what
        :meth:`decode` needs of degraded ones."""
        return images, None

    def decode(self, x: Tensor, kept: Any) -> Tensor:
        """Images (B, C, H, W) of states."""
        return x

    def padding(self, network: nn.Module, height: int,
                width: int) -> Tuple[int, int]:
        """Size that a network pads an image to; images that this makes equal
        can share a batch."""
        if not isinstance(network, ProcessNetwork):
            return height, width
        d = network.divisor
        return height + -height % d, width + -width % d


class Refinement(Hooks):
    """The process starts from what a regression restores.

    Source: Whang et al., CVPR 2022 (predict and refine, there with DDPM).

    Args:
        initial (nn.Module): The regression, from degraded to restored images
            in [0, 1].
        calls (NetworkCalls): How it is called.
    """

    def __init__(self, initial: nn.Module, calls: NetworkCalls) -> None:
        self.initial = initial
        self.calls = calls

    def networks(self) -> List[nn.Module]:
        return [self.initial]

    def padding(self, network: nn.Module, height: int,
                width: int) -> Tuple[int, int]:
        """The size itself: the regression may pad in another way."""
        return height, width

    def condition(self, inputs: Tensor) -> Tensor:
        return self.calls.once(self.initial, inputs).clamp(0, 1)
