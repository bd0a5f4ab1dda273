"""Degraded images as measurements, on which estimates are projected."""
from typing import List, NamedTuple, Optional, Sequence, Tuple

import torch
from torch import Tensor

from ..errors import ConfigError, ImageError
from ..operators import LinearOperator
from ..operators.base import adjoint_error
from ..operators.resampling import inverse_upsampling, separable
from ..sde.base import SDE, Time
from ..sde.predictions import Denoiser, Prediction, with_x0
from .arrays import Upscale, channel_order
from .data_consistency import DataConsistency

#: Maximum relative error of an adjoint.
ADJOINT_ERROR = 1e-3
#: Maximum number of projections of a result that is out of [0, 1], and the
#: excess at which they end.
ROUNDS, EXCESS = 10, 0.5 / 255


class Measurement(NamedTuple):
    """Measurement of one image.

    Attributes:
        operator (LinearOperator): The operator of the image.
        y (Tensor): The measurement.
        number (int): Number of values in y that depend on the image.
        size (tuple[int, int]): Height and width of the image.
    """

    operator: LinearOperator
    y: Tensor
    number: int
    size: Tuple[int, int]


class Measurements:
    """Measurements of a batch, see :class:`DataConsistency`.

    Args:
        settings (DataConsistency): Settings with an operator.
        inputs (Tensor): Degraded images (B, C, H, W) in [0, 1], at the size
            of the results.
        sizes: Height and width of each image without padding.
        names: Their paths, for messages.
        order (str): Channel order of the images.
        upscaling (Upscale, optional): Upsampling that was applied to them.

    Raises:
        ConfigError: If the operator has the wrong adjoint, or its measurement
            is not a degraded image.
        ImageError: If it does not fit an image.
    """

    def __init__(self, settings: DataConsistency, inputs: Tensor,
                 sizes: Sequence[Tuple[int, int]], names: Sequence[str],
                 order: str, upscaling: Optional[Upscale]) -> None:
        self.settings, self.order = settings, order
        with torch.no_grad():
            self.images: List[Measurement] = [
                measure(settings.operator, channel_order(
                    image[None, :, :h, :w], order, 'RGB'), name, upscaling)
                for image, (h, w), name in zip(inputs, sizes, names)]

    def project(self, images: Tensor, part: range) -> Tensor:
        """Return the projection of images (B, C, H, W) in [0, 1]; ``part``
        are their indices in the batch."""
        result = images.clone()
        for image, i in zip(result, part):
            operator, y, number, (h, w) = self.images[i]
            inside = image[None, :, :h, :w]
            x = operator.project(channel_order(inside, self.order, 'RGB'), y,
                                 self.settings.sigma, number)
            inside.copy_(channel_order(x, 'RGB', self.order))
        return result

    def denoiser(self, denoiser: Denoiser, sde: SDE,
                 part: range) -> Denoiser:
        """Return a denoiser with projected estimates of x0."""
        if self.settings.every == 'last':
            return denoiser

        def predict(xt: Tensor, t: Time) -> Prediction:
            x0, _, mu = denoiser(xt, t)
            x0 = sde.from_image(self.project(sde.to_image(x0), part))
            return with_x0(sde, x0, xt, mu, t)

        return predict

    @torch.no_grad()
    def finish(self, restored: Tensor) -> Tensor:
        """Return the projection of the results (B, C, H, W).

        A projection can leave [0, 1], and clipping can violate the
        measurement. Both are therefore repeated in turn until the excess is
        below the rounding to 8 bits (projections onto convex sets, Youla and
        Webb, 1982).
        """
        everything = range(len(restored))
        restored = self.project(restored, everything)
        for _ in range(ROUNDS):
            clipped = restored.clamp(0, 1)
            if float((restored - clipped).abs().max()) <= EXCESS:
                break
            restored = self.project(clipped, everything)
        return restored


def measure(operator: LinearOperator, image: Tensor, name: str,
            upscaling: Optional[Upscale]) -> Measurement:
    """Return the measurement that a degraded image (1, C, H, W) contains.

    Raises:
        ConfigError, ImageError: See :class:`Measurements`.
    """
    operator = operator.fit(image, name)
    generator = torch.Generator().manual_seed(0)
    probe = torch.rand(image.shape, generator=generator).to(image)
    seen = operator.A(probe)
    if adjoint_error(operator, probe, seen) > ADJOINT_ERROR:
        raise ConfigError('data_consistency: A_adjoint of the operator is not '
                          'the adjoint of A: <A x, y> and <x, A_adjoint y> '
                          'differ for random images.')
    known = seen != 0
    y = degraded(image, seen.shape, name, upscaling) * known
    return Measurement(operator, y, int(known.sum()),
                       tuple(image.shape[-2:]))


def degraded(image: Tensor, shape: torch.Size, name: str,
             upscaling: Optional[Upscale]) -> Tensor:
    """Return the degraded image before any upsampling.

    Args:
        image (Tensor): The image (1, C, H, W) at the size of the result.
        shape: Shape of the operator's measurement.
        name (str): Its path, for messages.
        upscaling (Upscale, optional): Upsampling of the model, if known.
    """
    h, w = image.shape[-2:]
    scale = h // shape[-2] if len(shape) == 4 and shape[-2] else 0
    if shape != (*image.shape[:2], h // max(scale, 1), w // max(scale, 1)) \
            or (upscaling and upscaling.scale != scale):
        raise ConfigError(
            'data_consistency: the operator maps the result '
            f'{tuple(image.shape)} to {tuple(shape)}, which is not the size '
            f'of the degraded image{f" {name!r}" if name else ""}.')
    if scale == 1:
        return image
    mode = upscaling.mode if upscaling else 'bicubic'
    y = separable(*(inverse_upsampling(side, scale, mode)
                    for side in shape[-2:]), image)
    error = float((Upscale(scale, mode)(y) - image).abs().max())
    if error > 1 / 255:
        raise ImageError(f'{name!r}: data_consistency needs an image that was '
                         f'upsampled by the factor {scale} ({mode}).')
    return y
