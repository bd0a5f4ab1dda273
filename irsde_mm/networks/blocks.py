"""Parts that the networks share."""
import copy
import math
from abc import ABC, abstractmethod
from typing import Dict, Optional, Sequence, Tuple, Union

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import DataError

NORM_EPS = 1e-5


class TimeEmbedding(nn.Module):
    """Sinusoids of the raw time: n/2 sines, then n/2 cosines.

    Args:
        channels (int): n, even and at least 2.

    Raises:
        ValueError: If ``channels`` is odd.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        if channels < 2 or channels % 2:
            raise ValueError('a time embedding needs an even number of '
                             f'channels, not {channels}.')
        self.half = channels // 2
        self.tabulate()

    def tabulate(self) -> None:
        """Fills the table of frequencies, which no checkpoint holds."""
        freqs = torch.exp(-math.log(10000) / max(self.half - 1, 1)
                          * torch.arange(self.half, dtype=torch.float64))
        self.register_buffer('freqs', freqs.float(), persistent=False)

    def forward(self, t: Union[int, float, Tensor]) -> Tensor:
        """Times, a number or (B,), fractional or not -> (1 or B, n)."""
        if not isinstance(t, Tensor):
            t = torch.full((1, ), t, device=self.freqs.device)
        angles = t.to(self.freqs).reshape(-1, 1) * self.freqs
        return torch.cat((angles.sin(), angles.cos()), dim=1)


class TimeTable(nn.Module):
    """The time embeddings of a trajectory, computed at once.

    Args:
        embed (nn.Module): Times (n, ) -> (n, C).
        times (Sequence[int | float]): The times of the trajectory. Others
            are embedded as they come.
    """

    def __init__(self, embed: nn.Module, times: Sequence[float]) -> None:
        super().__init__()
        self.embed = embed
        rows = embed(torch.tensor(times, dtype=torch.float64))
        self.rows: Dict[float, Tensor] = dict(zip(times, rows.split(1)))

    def forward(self, t: Union[int, float, Tensor]) -> Tensor:
        """Times, a number or (B,) -> (1 or B, C)."""
        row = None if isinstance(t, Tensor) else self.rows.get(t)
        return self.embed(t) if row is None else row


class ChannelNorm(nn.Module):
    """LayerNorm over the channels of (B, C, H, W), with a gain alone.

    Fused, and without a copy where the channels lie last in memory.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = F.layer_norm(x.permute(0, 2, 3, 1), (x.shape[1], ),
                         self.weight.flatten(), eps=NORM_EPS)
        return x.permute(0, 3, 1, 2)


class SimpleGate(nn.Module):
    """The product of the two halves of the channels (NAFNet)."""

    def forward(self, x: Tensor) -> Tensor:
        u, v = x.chunk(2, dim=1)
        return u * v


def local_mean(x: Tensor, window: Optional[int]) -> Tensor:
    """The mean over the window around each pixel, at the border over the
    nearest one that lies inside.

    Args:
        x (Tensor): (B, C, H, W).
        window (int, optional): Its side in pixels; None is the whole image.

    Returns:
        Tensor: As ``x``, with 1 for an axis that the window covers.
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
    """Pads right and bottom; images too small to reflect are repeated."""
    h, w = x.shape[-2:]
    right, bottom = -w % divisor, -h % divisor
    if not (right or bottom):
        return x
    if mode == 'reflect' and (right >= w or bottom >= h):
        mode = 'replicate'
    return F.pad(x, (0, right, 0, bottom), mode)


def network_input(xt: Tensor, mu: Tensor, conditional: bool,
                  channels: int) -> Tensor:
    """``cat(xt - mu, mu)``, or ``xt`` alone without a condition.

    Raises:
        DataError: If images have another number of channels, or the
            condition is missing or of another size.
    """
    images: Tuple[Tensor, ...] = (xt, )
    if conditional:
        if mu is None:
            raise DataError('this network is conditional and needs mu; '
                             'build it with conditional=False to go '
                            'without.')
        if mu.shape != xt.shape:
            raise DataError(f'xt {tuple(xt.shape)} and mu '
                             f'{tuple(mu.shape)} must have the same shape.')
        images = (xt - mu, mu)
    if xt.shape[1] != channels:
        raise DataError(f'the network takes images of {channels} channels, '
                         f'but got {xt.shape[1]}.')
    return torch.cat(images, dim=1) if conditional else xt


class ProcessNetwork(nn.Module, ABC):
    """Base of networks of a process: pads, embeds the time and crops.

    Subclasses define :meth:`features`, and set the attributes below.
    """

    #: Channels of a state, and factor that image sides are padded to.
    in_channels: int
    divisor: int
    #: How images are padded, see :func:`pad_to_multiple`.
    pad_mode: str
    #: Whether the degraded image is an input.
    conditional: bool

    @abstractmethod
    def features(self, x: Tensor, time: Tensor) -> Tensor:
        """The output for a padded input (B, C, H, W) and embedded times."""

    def embed_time(self, t: Union[int, float, Tensor], x: Tensor) -> Tensor:
        """The time as :meth:`features` takes it: a number or (B,)."""
        return self.time_mlp(self.embedding(t))

    def forward(self, xt: Tensor, mu: Optional[Tensor],
                t: Union[int, float, Tensor]) -> Tensor:
        """The output of the network, by default the noise.

        Args:
            xt, mu (Tensor): State and degraded image (B, C, H, W) in [0, 1].
            t: Time, a number or (B,), fractional allowed.

        Returns:
            Tensor: (B, out_channels, H, W).

        Raises:
            DataError: If shapes or channels do not fit.
        """
        h, w = xt.shape[-2:]
        # no name for the input: it would stay in memory to the end
        out = self.features(self.padded_input(xt, mu),
                            self.embed_time(t, xt))
        # in the layout of the images that it is combined with: mixed ones
        # make every operation of a sampling step several times slower
        return out[..., :h, :w].contiguous()

    def padded_input(self, xt: Tensor, mu: Optional[Tensor]) -> Tensor:
        """What :meth:`features` takes of a state and a degraded image."""
        x = network_input(xt, mu, self.conditional, self.in_channels)
        return pad_to_multiple(x, self.divisor, self.pad_mode)

    def folded(self) -> nn.Module:
        """This network for calls without gradients, faster where that is
        known; the same function up to float rounding."""
        return self

    def with_times(self, times: Sequence[float]) -> nn.Module:
        """This network with a :class:`TimeTable`, sharing all else."""
        ready = copy.copy(self)
        ready._modules = dict(self._modules)
        ready.embedding = TimeTable(
            nn.Sequential(self.embedding, self.time_mlp), times)
        ready.time_mlp = nn.Identity()
        return ready
