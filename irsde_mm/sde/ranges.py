"""Range of the images of a process."""
from torch import Tensor


class SymmetricRange:
    """Mixin for processes whose images are in [-1, 1]."""

    def from_image(self, image: Tensor) -> Tensor:
        """Map [0, 1] to [-1, 1]."""
        return 2 * image - 1

    def to_image(self, x: Tensor) -> Tensor:
        """Map [-1, 1] to [0, 1]."""
        return (x + 1) / 2
