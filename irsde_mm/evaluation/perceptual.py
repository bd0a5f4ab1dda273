"""Distances on features of pretrained networks: LPIPS and DISTS."""
from typing import Dict, Optional

from torch import Tensor, nn

from ..model_files.feature_networks import (ALEXNET_FILE, DISTS_FILE,
                                            VGG16_FILE, dists_distance,
                                            lpips_distance)
from ..registry import METRICS
from .network_metric import NetworkMetric


class DistanceMetric(NetworkMetric):
    """Metric of image pairs with a distance on a network's features.

    It is computed on whole images, clamped but not rounded. The features of
    the clean image are computed once.
    """

    def view(self, image: Tensor) -> Tensor:
        return (super().view(image) / 255).clamp(0, 1)

    def measure(self, clean: Tensor,
                images: Dict[str, Tensor]) -> Dict[str, float]:
        network = self.network
        clean = network.features(clean)
        return {key: network.compare(network.features(image), clean).item()
                for key, image in images.items()}


@METRICS.register_module()
class LPIPS(DistanceMetric):
    """Learned perceptual distance, version 0.1; lower is better.

    Reports ``LPIPS`` with AlexNet and ``LPIPS_VGG`` with VGG16. It is computed
    on whole images, clamped but not rounded. Source: Zhang et al., "The
    unreasonable effectiveness of deep features as a perceptual metric", CVPR
    2018. The linear heads are those of the lpips package. Images smaller than
    31x31 pixels (VGG16: 16x16) are excluded from the mean and listed in the
    log.

    Args:
        weights (str, optional): File with torchvision's network, or a complete
            state dict of ``lpips.LPIPS``. Default: the file that
            ``tools/prepare_weights.py lpips`` makes. Without the file the
            metric logs a warning and reports nothing.
        net (str): 'alex', as in most papers, or 'vgg'.
        **kwargs: Arguments of :class:`NetworkMetric`.

    Raises:
        ValueError: If ``net`` is unknown.
    """

    metric = 'LPIPS'
    advice = 'run python tools/prepare_weights.py lpips'
    networks = dict(alex=(ALEXNET_FILE, "torchvision's AlexNet", 31),
                    vgg=(VGG16_FILE, "torchvision's VGG16", 16))

    def __init__(self, weights: Optional[str] = None, net: str = 'alex',
                 **kwargs) -> None:
        if net not in self.networks:
            raise ValueError(f"net must be 'alex' or 'vgg', but got {net!r}.")
        self.net = net
        file, self.network_name, self.smallest = self.networks[net]
        super().__init__(weights or file, **kwargs)
        self.key = self.metric + ('_VGG' if net == 'vgg' else '')

    def build(self, weights: Dict[str, Tensor]) -> nn.Module:
        return lpips_distance(self.net, weights)


@METRICS.register_module()
class DISTS(DistanceMetric):
    """Distance of structure and texture; lower is better.

    Unlike LPIPS, it tolerates another sample of the same texture. It is
    computed on whole images, not resized, clamped but not rounded. Source:
    Ding et al., "Image quality assessment: Unifying structure and texture
    similarity", TPAMI 2020. Images smaller than 16x16 pixels are excluded from
    the mean and listed in the log.

    Args:
        weights (str): File with torchvision's VGG16.
        parameters (str): File with alpha and beta of the dists-pytorch
            package. ``tools/prepare_weights.py dists`` makes both files.
            Without them the metric logs a warning and reports nothing.
        **kwargs: Arguments of :class:`NetworkMetric`.
    """

    metric = 'DISTS'
    advice = 'run python tools/prepare_weights.py dists'
    smallest = 16  # as LPIPS with the same network
    network_name = "torchvision's VGG16"

    def __init__(self, weights: str = VGG16_FILE,
                 parameters: str = DISTS_FILE, **kwargs) -> None:
        super().__init__(weights, **kwargs)
        self.parameters = parameters
        self.has_weights = self.has_weights and self.find(
            parameters, "DISTS' alpha and beta")

    def build(self, weights: Dict[str, Tensor]) -> nn.Module:
        return dists_distance(self.parameters, weights)
