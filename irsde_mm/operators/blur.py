"""Blur with a known kernel."""
from functools import lru_cache
from typing import Any, Callable, List, Optional, Tuple

import numpy as np
import torch
from torch import Tensor

from ..errors import ConfigError
from ..io.kernels import read_kernel
from .base import LinearOperator

#: Standard deviation of the rounding of an image to 8 bits.
ROUNDING = 1 / 255 / 12**0.5
#: Deviation of the sum of a kernel from 1 that is attributed to rounding.
TOLERANCE = 1e-3
#: Maximum side of a kernel in pixels; larger ones take minutes per photo.
MAX_SIDE = 255


class BlurOperator(LinearOperator):
    """Filter with a kernel, as by the transform ``MotionBlur``.

    Like OpenCV's ``filter2D``, A computes the correlation with the kernel
    around its center (k // 2), and reflects the image at the border without
    repeating the border pixel. It is evaluated with the FFT of the reflected
    image, and its adjoint folds the reflection back.

    Blur removes some frequencies almost completely, so the pseudo-inverse is
    regularized (Tikhonov): ``A_adjoint (A A_adjoint + damping I)^-1``. The
    equations are solved by conjugate gradients, preconditioned with the FFT
    solution for a periodic image.

    Args:
        kernel: File (:func:`read_kernel`) or values (h, w) with sum 1.
        damping (float): Regularization of :meth:`A_dagger`, positive.

    Raises:
        ConfigError: If the kernel is not a matrix with sum 1, or too large.
    """

    #: Maximum number of conjugate gradient steps.
    max_steps = 60
    #: Relative residuals at which they end: of the pseudo-inverse, and of a
    #: projection, whose residual is mostly noise.
    accuracy, rough = 1e-4, 1e-2

    def __init__(self, kernel: Any, damping: float = 1e-4) -> None:
        values = read_kernel(kernel) if isinstance(kernel, str) else kernel
        try:
            values = torch.as_tensor(np.asarray(values, dtype=np.float64))
        except (TypeError, ValueError):
            values = torch.zeros(0)
        if values.ndim != 2 or not values.numel() \
                or not values.isfinite().all():
            raise ConfigError('the kernel must be a matrix of numbers.')
        if max(values.shape) > MAX_SIDE:
            raise ConfigError(
                f'the kernel has {values.shape[1]}x{values.shape[0]} values, '
                f'but at most {MAX_SIDE}x{MAX_SIDE} are supported: crop it.')
        total = float(values.sum())
        if abs(total - 1) > TOLERANCE:
            raise ConfigError(f'the kernel sums to {total:.4g}, but must sum '
                              'to 1, because blur keeps the brightness.')
        if not damping > 0:
            raise ConfigError(f'damping={damping} must be positive.')
        self.kernel, self.damping = values / total, damping

    def A(self, x: Tensor) -> Tensor:
        rows, columns = self._reflected(x)
        h, w = x.shape[-2:]
        padded = x[..., rows, :][..., columns]
        return filtered(padded, self._spectrum(padded).conj())[..., :h, :w]

    def A_adjoint(self, y: Tensor) -> Tensor:
        rows, columns = self._reflected(y)
        h, w = y.shape[-2:]
        padded = y.new_zeros(*y.shape[:-2], len(rows), len(columns))
        padded[..., :h, :w] = y
        wide = filtered(padded, self._spectrum(padded))
        folded = y.new_zeros(*y.shape[:-2], h, len(columns)).index_add_(
            -2, rows, wide)
        return torch.zeros_like(y).index_add_(-1, columns, folded)

    def A_dagger(self, y: Tensor) -> Tensor:
        return self._inverse(y, self.damping, self.accuracy)

    def project(self, x: Tensor, y: Tensor, sigma: float = 0.,
                number: Optional[int] = None) -> Tensor:
        """Return images that agree with a measurement up to its noise.

        The regularization is that of the Wiener filter for the error of x,
        assumed white: ``damping = sigma^2 / v``. Its variance v is estimated
        from the residual, whose mean square is ``sigma^2 + v sum(kernel^2)``.
        A residual at the noise or below it leaves x unchanged. The noise is
        at least that of rounding to 8 bits.
        """
        residual = y - self.A(x)
        noise = max(sigma, ROUNDING)**2
        excess = float(residual.square().mean()) - noise
        if excess <= 0:
            return x
        damping = noise * float(self.kernel.square().sum()) / excess
        return x + self._inverse(residual, damping, self.rough)

    def _reflected(self, image: Tensor) -> List[Tensor]:
        """Return the rows and columns of the image in the reflected one."""
        return [reflected(side, k).to(image.device) for side, k in zip(
            image.shape[-2:], self.kernel.shape)]

    def _spectrum(self, image: Tensor) -> Tensor:
        """Return the kernel's spectrum for images (B, C, H, W)."""
        return spectrum(self.kernel, image.shape[-2:]).to(
            image.device, image.dtype.to_complex())

    def _inverse(self, y: Tensor, damping: float,
                 accuracy: float) -> Tensor:
        """Return A_adjoint (A A_adjoint + damping I)^-1 y."""
        periodic = 1 / (self._spectrum(y).abs()**2 + damping)
        return self.A_adjoint(solve(
            lambda z: self.A(self.A_adjoint(z)) + damping * z, y,
            lambda z: filtered(z, periodic), self.max_steps, accuracy))


@lru_cache(maxsize=16)
def reflected(side: int, k: int) -> Tensor:
    """Return the indices of pixels along an axis, extended for a kernel of
    size k."""
    if side == 1:
        return torch.zeros(k, dtype=torch.long)
    return torch.from_numpy(np.pad(
        np.arange(side), (k // 2, k - 1 - k // 2), mode='reflect'))


@lru_cache(maxsize=4)
def spectrum(kernel: Tensor, size: Tuple[int, int]) -> Tensor:
    """Return the spectrum of a kernel for images (H, W), complex128."""
    return torch.fft.rfft2(kernel, s=size)


def filtered(images: Tensor, factor: Tensor) -> Tensor:
    """Multiply the spectrum of images (B, C, H, W)."""
    return torch.fft.irfft2(torch.fft.rfft2(images) * factor,
                            s=images.shape[-2:])


def solve(matrix: Callable[[Tensor], Tensor], y: Tensor,
          preconditioner: Callable[[Tensor], Tensor], max_steps: int,
          accuracy: float) -> Tensor:
    """Solve matrix(z) = y by preconditioned conjugate gradients.

    Args:
        matrix, preconditioner: Symmetric positive definite functions of
            (B, C, H, W).
        y (Tensor): Right side.
        max_steps (int): Maximum number of steps.
        accuracy (float): Residual relative to y at which to stop.
    """
    z, residual = torch.zeros_like(y), y
    direction = better = preconditioner(residual)
    slope = (residual * better).sum()
    target = accuracy * float(y.norm())
    for _ in range(max_steps):
        if not float(residual.norm()) > target:
            break
        image = matrix(direction)
        step = slope / (direction * image).sum()
        z, residual = z + step * direction, residual - step * image
        better = preconditioner(residual)
        slope, before = (residual * better).sum(), slope
        direction = better + slope / before * direction
    return z
