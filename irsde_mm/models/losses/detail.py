"""Pixel loss on errors without their local mean."""
from torch import Tensor, nn
from torch.nn import functional as F

from ...registry import MODELS


@MODELS.register_module()
class DetailLoss(nn.Module):
    """L1 distance after the local mean of the errors is removed.

    Errors that are constant over a region, such as those of haze or exposure,
    do not count. Beside L1 in :class:`SumLoss`, the loss balances
    degradations: with L1 alone, the gradient of such errors, which have one
    sign over a whole image, outweighs that of rain and noise
    (docs/recipe.md).

    Args:
        size (int): Side of the square over which errors are averaged, in
            pixels; odd, at least 3. At borders, the part inside the image is
            averaged.
        loss_weight (float): Factor of the loss.

    Raises:
        ValueError: If ``size`` is not an odd number of at least 3.
    """

    def __init__(self, size: int = 15, loss_weight: float = 1.0) -> None:
        super().__init__()
        if size != int(size) or size < 3 or size % 2 == 0:
            raise ValueError('size must be an odd number of at least 3, but '
                             f'got {size}.')
        self.size, self.loss_weight = int(size), loss_weight

    def forward(self, pred: Tensor, target: Tensor) -> Tensor:
        """Return the loss as a scalar.

        Args:
            pred, target (Tensor): Images (B, C, H, W), in [0, 1].
        """
        # half precision would round the means
        errors = mean = pred.float() - target.float()
        for sides in ((self.size, 1), (1, self.size)):
            mean = F.avg_pool2d(
                mean, sides, stride=1, padding=[side // 2 for side in sides],
                count_include_pad=False)
        return self.loss_weight * (errors - mean).abs().mean()
