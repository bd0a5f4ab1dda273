"""Base class of linear degradations."""
from abc import ABC, abstractmethod
from typing import Any, Optional

import torch
from torch import Tensor

from ..errors import ConfigError

METHODS = ('A', 'A_adjoint', 'A_dagger')


class LinearOperator(ABC):
    """Base class of linear degradations, which measure y = A x.

    Images x are (B, C, H, W) floats in [0, 1], RGB or gray. The names of the
    methods are those of ``deepinv.physics.LinearPhysics``.
    """

    def fit(self, image: Tensor, name: str = '') -> 'LinearOperator':
        """Return the operator of one degraded image.

        Args:
            image (Tensor): The image (1, C, H, W) at the size of the result.
            name (str): Its path, for messages.

        Raises:
            ImageError: If the operator does not fit the image.
        """
        return self

    @abstractmethod
    def A(self, x: Tensor) -> Tensor:
        """Return the measurement of images x."""

    @abstractmethod
    def A_adjoint(self, y: Tensor) -> Tensor:
        """Apply the adjoint, for which <A x, y> = <x, A_adjoint y>."""

    @abstractmethod
    def A_dagger(self, y: Tensor) -> Tensor:
        """Apply the pseudo-inverse, for which A A_dagger A = A."""

    def project(self, x: Tensor, y: Tensor, sigma: float = 0.,
                number: Optional[int] = None) -> Tensor:
        """Return the images closest to x that agree with a measurement.

        Computes ``x + k A_dagger(y - A x)``. Without noise, k = 1. With
        noise, ``k = max(0, 1 - sigma^2 / r^2)`` with the RMS residual r: a
        residual at the noise or below it leaves x unchanged.

        Source: Wang et al., ICLR 2023 (DDNM), for the projection; James and
        Stein, 1961 (positive part), for k.

        Args:
            x (Tensor): Images (B, C, H, W).
            y (Tensor): Their measurement.
            sigma (float): Standard deviation of the noise in y.
            number (int, optional): Number of values of y that depend on x; by
                default, all.
        """
        residual = y - self.A(x)
        step = 1.
        if sigma:
            noise = sigma**2 * (number or residual.numel())
            total = float(residual.square().sum())
            step = 1 - noise / total if total > noise else 0.
        return x + step * self.A_dagger(residual) if step else x


class WrappedOperator(LinearOperator):
    """Operator of another library.

    Args:
        physics: Object with the methods ``A``, ``A_adjoint`` and
            ``A_dagger``, such as a ``deepinv.physics.LinearPhysics``.

    Raises:
        ConfigError: If a method is missing.
    """

    def __init__(self, physics: Any) -> None:
        for name in METHODS:
            if not callable(getattr(physics, name, None)):
                raise ConfigError(
                    f'{type(physics).__name__} cannot be used for '
                    f'data_consistency, because it has no method {name}.')
        self.physics = physics

    def A(self, x: Tensor) -> Tensor:
        return self.physics.A(x)

    def A_adjoint(self, y: Tensor) -> Tensor:
        return self.physics.A_adjoint(y)

    def A_dagger(self, y: Tensor) -> Tensor:
        return self.physics.A_dagger(y)


def adjoint_error(operator: LinearOperator, x: Tensor, y: Tensor) -> float:
    """Return the relative error of an adjoint for random x and y = A x.

    A true adjoint satisfies <A x, z> = <x, A_adjoint z> for all z. The
    difference for random z is given relative to its size for an unrelated
    adjoint.

    Args:
        operator (LinearOperator): The operator.
        x (Tensor): Random images (B, C, H, W).
        y (Tensor): Their measurement, A x.
    """
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(y.shape, generator=generator, dtype=y.dtype).to(y.device)
    back = operator.A_adjoint(z)
    if back.shape != x.shape:
        return float('inf')
    error = (y.double() * z).sum() - (x.double() * back).sum()
    return float(error.abs() / y.double().norm().clamp_min(1e-12))
