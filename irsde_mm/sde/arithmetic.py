"""Noise and linear combinations of images."""
from typing import Iterator, Optional, Protocol, Sequence, Tuple, Union

import torch
from torch import Tensor


class NoiseSource(Protocol):
    """Source of noise that is not drawn anew, for one image."""

    def draw(self, like: Tensor) -> Tensor:
        """Return noise with the shape (C, H, W), dtype and device of a
        tensor."""


Generators = Union[torch.Generator,
                   Sequence[Union[torch.Generator, NoiseSource]],
                   Iterator[Tensor], None]


def draw_noise(like: Tensor, generator: Generators = None) -> Tensor:
    """Draw standard normal noise with the shape, dtype and device of a tensor.

    Args:
        like (Tensor): Tensor of shape (B, C, H, W).
        generator: One generator, one generator or :class:`NoiseSource` per
            image of the batch (an image's noise is then independent of the
            rest of the batch), an iterator over tensors, the noise of each
            draw, or None for torch's global generator. Noise is drawn on the
            generator's device and then moved, so prefer the device of
            ``like``.

    Raises:
        ValueError: If the number of generators is not the batch size, or an
            iterator has no noise left.
    """
    if generator is None:
        return torch.randn_like(like)
    if isinstance(generator, Iterator):
        noise = next(generator, None)
        if noise is None:
            raise ValueError('more noise is needed than was given.')
        return noise
    if isinstance(generator, torch.Generator):
        return torch.randn(like.shape, generator=generator, dtype=like.dtype,
                           device=generator.device).to(like.device)
    if len(generator) != len(like):
        raise ValueError(f'got {len(generator)} generators for a batch of '
                         f'{len(like)} images; pass one per image.')
    noise = torch.empty_like(like)
    for image, g in zip(noise, generator):
        if not isinstance(g, torch.Generator):
            image.copy_(g.draw(image))
        elif g.device == image.device:
            image.normal_(generator=g)
        else:
            image.copy_(draw_noise(image, g))
    return noise


def combine(*terms: Tuple[Tensor, Optional[Tensor]]) -> Tensor:
    """Return the sum of coefficient * image over all terms.

    Allocates a single tensor. Coefficients are 0-d or (B, 1, 1, 1); the first
    may be the number 1. Terms whose image is None are skipped (``mu`` of a
    process that does not use it).
    """
    (k, x), *rest = [term for term in terms if term[1] is not None]
    if isinstance(k, int) and k == 1 and rest:
        total = torch.addcmul(x, *rest.pop(0))
    else:
        total = k * x
    for k, x in rest:
        if total.shape == x.shape and total.dtype == x.dtype:
            total = total.addcmul_(k, x)
        else:
            total = torch.addcmul(total, k, x)
    return total


def nonzero(c: Tensor) -> Tensor:
    """Return c with zeros replaced by infinity, so that dividing by it gives
    0. Requires no GPU sync."""
    return torch.where(c > 0, c, torch.inf)
