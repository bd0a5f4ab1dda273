"""Building blocks and the base class of the networks."""
import copy
import math
from abc import ABC, abstractmethod
from functools import partial
from typing import Dict, Optional, Sequence, Tuple, Union

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import DataError
from .self_ensemble import mean_over_flips

NORM_EPS = 1e-5


class TimeEmbedding(nn.Module):
    """Sinusoidal embedding of the raw time: n/2 sines, then n/2 cosines.

    Args:
        channels (int): n, even and at least 2.

    Raises:
        ValueError: If ``channels`` is odd.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        if channels < 2 or channels % 2:
            raise ValueError('a time embedding needs an even number of '
                             f'channels, but got {channels}.')
        self.half = channels // 2
        self.tabulate()

    def tabulate(self) -> None:
        """Compute the frequencies, which checkpoints do not store."""
        freqs = torch.exp(-math.log(10000) / max(self.half - 1, 1)
                          * torch.arange(self.half, dtype=torch.float64))
        self.register_buffer('freqs', freqs.float(), persistent=False)

    def forward(self, t: Union[int, float, Tensor]) -> Tensor:
        """Embed times.

        Args:
            t: Number or (B,), possibly fractional.

        Returns:
            Tensor: (1, n) for a number, (B, n) otherwise.
        """
        if not isinstance(t, Tensor):
            t = torch.full((1, ), t, device=self.freqs.device)
        angles = t.to(self.freqs).reshape(-1, 1) * self.freqs
        return torch.cat((angles.sin(), angles.cos()), dim=1)


class TimeTable(nn.Module):
    """Time embeddings of a trajectory, computed in one call.

    Args:
        embed (nn.Module): Embeds times (n, ) as (n, C).
        times (Sequence[int | float]): Times of the trajectory. Other times
            are embedded when they are used.
    """

    def __init__(self, embed: nn.Module, times: Sequence[float]) -> None:
        super().__init__()
        self.embed = embed
        rows = embed(torch.tensor(times, dtype=torch.float64))
        self.rows: Dict[float, Tensor] = dict(zip(times, rows.split(1)))

    def forward(self, t: Union[int, float, Tensor]) -> Tensor:
        """Embed times, a number or (B,), as (1, C) or (B, C)."""
        row = None if isinstance(t, Tensor) else self.rows.get(t)
        return self.embed(t) if row is None else row


class ChannelNorm(nn.Module):
    """LayerNorm over the channels of (B, C, H, W), with a gain but no bias.

    Uses the fused kernel, without a copy for the channels_last layout.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = F.layer_norm(x.permute(0, 2, 3, 1), (x.shape[1], ),
                         self.weight.flatten(), eps=NORM_EPS)
        return x.permute(0, 3, 1, 2)


class SimpleGate(nn.Module):
    """Product of the two halves of the channels (NAFNet)."""

    def forward(self, x: Tensor) -> Tensor:
        u, v = x.chunk(2, dim=1)
        return u * v


def local_mean(x: Tensor, window: Optional[int]) -> Tensor:
    """Return the mean over the window around each pixel.

    At the border, the window is moved to the nearest position inside the
    image.

    Args:
        x (Tensor): (B, C, H, W).
        window (int, optional): Side of the window in pixels. None means the
            whole image.

    Returns:
        Tensor: Shape of ``x``, with size 1 for an axis that the window
        covers.
    """
    if window is None:
        return x.mean((2, 3), keepdim=True)
    for dim in (2, 3):
        n = x.shape[dim] - window
        if n <= 0:
            x = x.mean(dim, keepdim=True)
            continue
        front = [0, 0, 1, 0] if dim == 2 else [1, 0]
        total = F.pad(x.cumsum(dim), front)
        x = (total.narrow(dim, window, n + 1)
             - total.narrow(dim, 0, n + 1)) / window
        before = (window - 1) // 2
        sides = [before, window - 1 - before]
        x = F.pad(x, [0, 0, *sides] if dim == 2 else [*sides, 0, 0],
                  'replicate')
    return x


def pad_to_multiple(x: Tensor, divisor: int, mode: str) -> Tensor:
    """Pad the right and bottom sides to a multiple of ``divisor``.

    Images that are too small for reflection are padded by replication.
    """
    h, w = x.shape[-2:]
    if isinstance(h, torch.SymInt) or isinstance(w, torch.SymInt):
        return pad_any_size(x, divisor, mode)
    right, bottom = -w % divisor, -h % divisor
    if not (right or bottom):
        return x
    if mode == 'reflect' and (right >= w or bottom >= h):
        mode = 'replicate'
    return F.pad(x, (0, right, 0, bottom), mode)


def pad_any_size(x: Tensor, divisor: int, mode: str) -> Tensor:
    """Pad like :func:`pad_to_multiple`, for sizes that are not known yet.

    While a graph is exported, a size is a symbol and cannot decide anything.
    The indices of the pixels are therefore computed in the graph.
    """
    sides = x.shape[-2:]
    # in this form, the export can tell that the sides are divisible
    padded = [divisor * ((side + divisor - 1) // divisor) for side in sides]
    if mode == 'constant':
        return F.pad(x, (0, padded[1] - sides[1], 0, padded[0] - sides[0]))
    ends = [torch.full((), side - 1, device=x.device) for side in sides]
    places = [torch.arange(n, device=x.device) for n in padded]
    inside = [end.minimum(i) for end, i in zip(ends, places)]
    if mode == 'reflect':
        mirrored = [end - (end - i).abs() for end, i in zip(ends, places)]
        fits = (mirrored[0][-1:] >= 0) & (mirrored[1][-1:] >= 0)
        inside = [torch.where(fits, m, i) for m, i in zip(mirrored, inside)]
    return x.index_select(-2, inside[0]).index_select(-1, inside[1])


def network_input(xt: Tensor, mu: Tensor, conditional: bool,
                  channels: int) -> Tensor:
    """Return ``cat(xt - mu, mu)``, or ``xt`` for an unconditional network.

    Raises:
        DataError: If the number of channels is wrong, or the condition is
            missing or differs in shape.
    """
    images: Tuple[Tensor, ...] = (xt, )
    if conditional:
        if mu is None:
            raise DataError('this network is conditional and needs mu; '
                            'without mu, build it with '
                            'conditional=False.')
        if mu.shape != xt.shape:
            raise DataError(f'xt {tuple(xt.shape)} and mu '
                             f'{tuple(mu.shape)} must have the same shape.')
        images = (xt - mu, mu)
    check_channels(xt, channels)
    return torch.cat(images, dim=1) if conditional else xt


def check_channels(images: Tensor, channels: int) -> None:
    """Raise DataError if images do not have ``channels`` channels."""
    if images.shape[1] != channels:
        raise DataError(f'the network takes images of {channels} channels, '
                        f'but got {images.shape[1]}.')


class ProcessNetwork(nn.Module, ABC):
    """Base class of the networks of a process.

    Pads and concatenates the images, embeds the time and crops the output.
    Subclasses define :meth:`features` and set the attributes below.
    """

    #: Channels of a state, and the factor that image sides are padded to.
    in_channels: int
    divisor: int
    #: Padding mode, see :func:`pad_to_multiple`.
    pad_mode: str
    #: Whether the degraded image is an input.
    conditional: bool
    #: Number of flipped copies that the output is averaged over, see
    #: :func:`mean_over_flips`. Training uses one.
    self_ensemble: int = 1

    @abstractmethod
    def features(self, x: Tensor, time: Tensor) -> Tensor:
        """Return the output for a padded input (B, C, H, W) and embedded
        times."""

    def embed_time(self, t: Union[int, float, Tensor], x: Tensor) -> Tensor:
        """Embed the time, a number or (B,), for :meth:`features`."""
        return self.time_mlp(self.embedding(t))

    def forward(self, xt: Tensor, mu: Optional[Tensor],
                t: Union[int, float, Tensor]) -> Tensor:
        """Return the output of the network, by default the noise.

        Args:
            xt, mu (Tensor): State and degraded image (B, C, H, W) in [0, 1].
            t: Time, a number or (B,), possibly fractional.

        Returns:
            Tensor: (B, out_channels, H, W).

        Raises:
            DataError: If shapes or channels do not match.
        """
        h, w = xt.shape[-2:]
        # a named input would stay in memory until the function returns
        features = self.features
        if self.self_ensemble > 1 and not self.training:
            features = partial(mean_over_flips, features,
                               self.self_ensemble)
        out = features(self.padded_input(xt, mu), self.embed_time(t, xt))
        # the layout of the images that the output is combined with; mixed
        # layouts make each operation of a sampling step several times slower
        out = out[..., :h, :w]
        if isinstance(h, torch.SymInt):  # its layout depends on the size
            return out.clone(memory_format=torch.contiguous_format)
        return out.contiguous()

    def padded_input(self, xt: Tensor, mu: Optional[Tensor]) -> Tensor:
        """Return the input of :meth:`features`."""
        x = network_input(xt, mu, self.conditional, self.in_channels)
        return pad_to_multiple(x, self.divisor, self.pad_mode)

    def folded(self) -> nn.Module:
        """Return a faster version for calls without gradients, if there is
        one: the same function up to float rounding."""
        return self

    def with_times(self, times: Sequence[float]) -> nn.Module:
        """Return this network with a :class:`TimeTable`; all other parts are
        shared."""
        ready = copy.copy(self)
        ready._modules = dict(self._modules)
        ready.embedding = TimeTable(
            nn.Sequential(self.embedding, self.time_mlp), times)
        ready.time_mlp = nn.Identity()
        return ready
