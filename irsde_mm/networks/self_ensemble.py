"""Average of a network's output over flipped copies of the image."""
from typing import Callable, Iterable

from torch import Tensor, nn

from ..errors import ConfigError

#: Numbers of copies, see :func:`mean_over_flips`.
COPIES = (1, 2, 4, 8)


def check_copies(n: int) -> int:
    """Return the number of copies after checking it.

    Raises:
        ValueError: If it is not 1, 2, 4 or 8.
    """
    if type(n) is not int or n not in COPIES:
        raise ValueError('self_ensemble must be one of '
                         f'{", ".join(map(str, COPIES))}, but is {n!r}.')
    return n


def set_copies(networks: Iterable[nn.Module], n: int) -> None:
    """Set the number of copies of all networks of a process.

    Raises:
        ConfigError: If it is not 1, 2, 4 or 8, or no network supports it.
    """
    try:
        check_copies(n)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    found = [module for network in networks for module in network.modules()
             if hasattr(module, 'self_ensemble')]
    if not found:
        raise ConfigError('none of the networks of the model supports '
                          'self_ensemble.')
    for module in found:
        module.self_ensemble = n


def mean_over_flips(features: Callable[[Tensor, Tensor], Tensor], n: int,
                    x: Tensor, time: Tensor) -> Tensor:
    """Return the mean output over flipped copies of the input, flipped back.

    Source: geometric self-ensemble (Timofte et al., CVPR 2016).

    Args:
        features: Network, from (B, C, H, W) and embedded times to
            (B, C', H, W).
        n (int): Copies: 2 (plain, flipped left to right), 4 (also flipped top
            to bottom) or 8 (also transposed).
        x (Tensor): Input (B, C, H, W), already padded, so that an image gets
            the same result in every batch.
        time (Tensor): Embedded times.

    Returns:
        Tensor: (B, C', H, W).
    """
    # one after another, because memory is scarcer than time
    return sum(restored(features, i, x, time) for i in range(n)) / n


def restored(features: Callable[[Tensor, Tensor], Tensor], i: int,
             x: Tensor, time: Tensor) -> Tensor:
    """Return the output for copy ``i``, whose bits are flips, flipped back."""
    dims = [dim for bit, dim in ((1, 3), (2, 2)) if i & bit]
    x = x.flip(dims) if dims else x
    out = features(x.transpose(2, 3) if i & 4 else x, time)
    out = out.transpose(2, 3) if i & 4 else out
    return out.flip(dims) if dims else out
