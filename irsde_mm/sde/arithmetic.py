"""What processes and samplers do with images: draw noise, add up."""
from typing import Optional, Sequence, Tuple, Union

import torch
from torch import Tensor

Generators = Union[torch.Generator, Sequence[torch.Generator], None]


def draw_noise(like: Tensor, generator: Generators = None) -> Tensor:
    """Standard normal noise of another tensor's shape, dtype and device.

    Args:
        like (Tensor): Gives the shape (B, C, H, W).
        generator: One generator, one per image of the batch (an image's
            noise then does not depend on its neighbours), or None for
            torch's global one. Best on the device of ``like``: noise is drawn
            on the generator's device and moved.

    Raises:
        ValueError: If the number of generators is not the batch size.
    """
    if generator is None:
        return torch.randn_like(like)
    if isinstance(generator, torch.Generator):
        return torch.randn(like.shape, generator=generator, dtype=like.dtype,
                           device=generator.device).to(like.device)
    if len(generator) != len(like):
        raise ValueError(f'{len(generator)} generators for a batch of '
                         f'{len(like)} images: give one per image.')
    noise = torch.empty_like(like)
    for image, g in zip(noise, generator):
        if g.device == image.device:
            image.normal_(generator=g)
        else:
            image.copy_(draw_noise(image, g))
    return noise


def combine(*terms: Tuple[Tensor, Optional[Tensor]]) -> Tensor:
    """The sum of coefficient * image over all terms, in one allocation.

    Coefficients are 0-d or (B, 1, 1, 1), the first may be the number 1. An
    image that is None counts as nothing (a process that does not look at
    ``mu``).
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
    """A divisor: c, and infinity where c is 0, so that what is divided by it
    becomes 0. Takes no part of an image and makes no GPU wait."""
    return torch.where(c > 0, c, torch.inf)
