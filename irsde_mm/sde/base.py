"""The contract of a process with a Gaussian marginal along a curve."""
import math
from abc import ABC, abstractmethod
from typing import Optional, Tuple, Union

import torch
from torch import Tensor, nn

from .arithmetic import Generators, combine, draw_noise, nonzero

__all__ = ['SDE', 'Time', 'Coefficients', 'Generators', 'combine',
           'draw_noise', 'nonzero']

Time = Union[int, float, Tensor]
Coefficients = Tuple[Tensor, Tensor, Tensor]


class SDE(nn.Module, ABC):
    """A process from a clean image x0 towards a degraded image mu.

    Its marginal is ``x_t = a_t x0 + b_t mu + c_t noise`` with noise ~ N(0, I),
    so a process is the curve t -> (a, b, c) and the coefficient A(t, s) of x_s
    in its forward transition. Everything else here follows from the two
    (docs/paper_to_code.md).

    Images are (B, C, H, W) floats in [0, 1], or in a range of the process'
    own, into which :meth:`from_image` brings them. Times run from 0 (clean) to
    ``num_steps``; a time is an int, a float (between the table's entries) or
    a tensor (B,), one per image. Nothing that is passed in is changed, and
    nothing about an image is kept between calls. ``mu`` may be None in a
    process whose b is zero.

    Args:
        num_steps (int): T, the number of steps of the training grid, >= 1.
    """

    #: Constructor arguments that say how a trained model is used, not how it
    #: was trained: checkpoints that differ in them still fit.
    runtime_args: Tuple[str, ...] = ()
    #: Sampler of the source: 'sde' or 'ode' in Euler steps, or 'posterior'.
    published_sampler = 'sde'
    #: Range to which the source clamps the estimates of x0, in the range of
    #: the process.
    published_clamp: Optional[Tuple[float, float]] = None
    #: Whether the state at T still depends on x0 (a_T > 0). Without that, a
    #: predicted noise says nothing about x0 there.
    signal_at_end = True
    #: Whether the state at T is random (c_T > 0); a bridge ends in mu.
    noise_at_end = True
    #: Whether it starts at the time whose noise level is that of the input.
    starts_at_noise_level = False
    #: Whether the process ends near N(m, lam^2) for a known m, as a
    #: likelihood requires.
    stationary_end = False

    def __init__(self, num_steps: int = 100) -> None:
        super().__init__()
        if not isinstance(num_steps, int) or num_steps < 1:
            raise ValueError('num_steps must be a whole number of at least 1, '
                             f'but is {num_steps!r}.')
        self.num_steps = num_steps

    @classmethod
    def example(cls, num_steps: int = 100, **kwargs) -> 'SDE':
        """A process of this kind with usual settings, for tests and plots.

        Args:
            num_steps (int): T.
            **kwargs: Other arguments of the constructor.
        """
        return cls(num_steps=num_steps, **kwargs)

    # ------------------------------------------------------- the two givens

    @abstractmethod
    def coefficients(self, t: Time) -> Coefficients:
        """The curve (a_t, b_t, c_t).

        Args:
            t: Time in [0, T], fractional times allowed.

        Returns:
            Three 0-d tensors for a number, three (B, 1, 1, 1) for (B,).
        """

    def retention(self, t: Time, s: Time) -> Tensor:
        """A(t, s), what the forward transition s -> t keeps of x_s."""
        return self.coefficients(t)[0] / self.coefficients(s)[0]

    @abstractmethod
    def start(self, mu: Tensor, generator: Generators = None,
              sigma: Optional[float] = None) -> Tuple[Tensor, Time]:
        """Where the way back begins for a degraded image.

        Args:
            mu (Tensor): Degraded images (B, C, H, W).
            generator: Source of the start noise, see :func:`draw_noise`.
            sigma (float, optional): Noise level of ``mu`` in [0, 1], for
                processes that enter at that level; others ignore it.

        Returns:
            (xt, t): the state and its time.
        """

    # ---------------------------------------- between images and networks

    def from_image(self, image: Tensor) -> Tensor:
        """An image in [0, 1] in the range that the process works in."""
        return image

    def to_image(self, x: Tensor) -> Tensor:
        """The inverse of :meth:`from_image`."""
        return x

    def network_time(self, t: Time) -> Union[Time, Tuple[Time, ...]]:
        """Time input of the network at time t, or a tuple of two."""
        return t

    def input_scale(self, t: Time) -> Union[int, Tensor]:
        """Factor of the state at time t in the input of the network."""
        return 1

    # ------------------------------------------------------------- forward

    def marginal(self, x0: Tensor, mu: Tensor,
                 t: Time) -> Tuple[Tensor, Tensor]:
        """Mean (B, C, H, W) and standard deviation of p(x_t | x0, mu)."""
        a, b, c = self.coefficients(t)
        return combine((a, x0), (b, mu)), c

    def transition(self, xs: Tensor, x0: Tensor, mu: Tensor, s: Time,
                   t: Time) -> Tuple[Tensor, Tensor]:
        """Mean and standard deviation of p(x_t | x_s, x0, mu), s < t."""
        (at, bt, ct), (as_, bs, cs) = self.coefficients(t), \
            self.coefficients(s)
        A = self.retention(t, s)
        mean = combine((A, xs), (at - A * as_, x0), (bt - A * bs, mu))
        return mean, (ct**2 - (A * cs)**2).clamp_min(0).sqrt()

    def perturb(self, x0: Tensor, mu: Tensor, t: Time,
                noise: Tensor) -> Tensor:
        """The state x_t that given noise leads to."""
        a, b, c = self.coefficients(t)
        return combine((a, x0), (b, mu), (c, noise))

    # ------------------------------------------- what a predicted noise says

    def score(self, noise: Tensor, t: Time) -> Tensor:
        """Gradient of ln p(x_t | x0, mu): -noise / c_t, and 0 where c_t = 0.
        """
        return noise / -nonzero(self.coefficients(t)[2])

    def predict_x0(self, xt: Tensor, mu: Optional[Tensor], noise: Tensor,
                   t: Time) -> Tensor:
        """Clean image that explains x_t with the given noise; mu where
        a_t = 0, because any clean image does."""
        a, b, c = self.coefficients(t)
        # divided last: at T xt and b mu differ by little, and a is 0.005
        x0 = combine((1, xt), (-b, mu), (-c, noise)).div_(nonzero(a))
        return x0 if self.signal_at_end else torch.where(
            a > 0, x0, x0 if mu is None else mu)

    def predict_noise(self, xt: Tensor, mu: Optional[Tensor], x0: Tensor,
                      t: Time) -> Tensor:
        """Noise that explains x_t with the given clean image; 0 where
        c_t = 0."""
        a, b, c = self.coefficients(t)
        return combine((1, xt), (-a, x0), (-b, mu)).div_(nonzero(c))

    def forward_std(self, t: Time) -> Tensor:
        """Standard deviation of x_t given x0 in the forward diffusion, before
        it is conditioned on its end; c_t unless the process is a bridge."""
        return self.coefficients(t)[2]

    def velocity(self, t: Time) -> Coefficients:
        """The derivative (a', b', c') of the curve with respect to t > 0, by
        a difference quotient over a part of the step before t."""
        before = torch.maximum(t - 1 / 16, t / 2) \
            if isinstance(t, Tensor) else max(t - 1 / 16, t / 2)
        h = t - before
        h = h.view(-1, 1, 1, 1) if isinstance(h, Tensor) and h.ndim else h
        return tuple((y - x) / h for x, y in zip(
            self.coefficients(before), self.coefficients(t)))

    # ------------------------------------------------------------ backward

    @staticmethod
    def _posterior_std(ratio: Tensor, cs: Tensor) -> Tensor:
        """v1 = c_s sqrt(1 - ratio^2) of p(x_s | x_t, x0, mu), with ratio =
        A(t, s) c_s / c_t."""
        return cs * (1 - ratio**2).clamp_min(0).sqrt()

    def posterior(self, xt: Tensor, x0: Tensor, mu: Tensor, t: Time,
                  s: Optional[Time] = None) -> Tuple[Tensor, Tensor]:
        """Mean and standard deviation of p(x_s | x_t, x0, mu), s < t.

        ``s`` defaults to :meth:`previous`, where the mean is the paper's
        "optimal reverse state". At s = 0 the mean is x0 and the deviation 0.
        From c_t = 0 it is the marginal at s.
        """
        s = self.previous(t) if s is None else s
        (at, bt, ct), (as_, bs, cs) = self.coefficients(t), \
            self.coefficients(s)
        ct = nonzero(ct)
        ratio = self.retention(t, s) * cs / ct
        w = ratio * cs / ct
        mean = combine((w, xt), (as_ - w * at, x0), (bs - w * bt, mu))
        return mean, self._posterior_std(ratio, cs)

    def jump(self, x0: Tensor, noise: Tensor, mu: Tensor, t: Time, s: Time,
             eta: float = 1.0, z: Optional[Tensor] = None) -> Tensor:
        """From estimates of x0 and noise at t straight to time s < t.

        ``a_s x0 + b_s mu + sqrt(c_s^2 - v^2) noise + v z``, v = eta v1: eta 0
        is the deterministic (DDIM) jump, eta 1 a draw of the posterior. From
        c_t = 0, where the state is not random, the posterior is the marginal.

        Args:
            x0, noise, mu (Tensor): Images (B, C, H, W).
            eta (float): Share of fresh noise in [0, 1].
            z (Tensor, optional): Fresh standard noise; None gives the mean.
        """
        a, b, c = self.coefficients(s)
        ratio = self.retention(t, s) * c / nonzero(self.coefficients(t)[2])
        v = eta * self._posterior_std(ratio, c)
        rest = (c**2 - v**2).clamp_min(0).sqrt()
        return combine((a, x0), (b, mu), (rest, noise), (v, z))

    # --------------------------------------------------------------- times

    def keep_table(self, name: str, table: Tensor) -> None:
        """A float64 table as a buffer that no checkpoint holds."""
        self.register_buffer(name, table.to(torch.get_default_dtype()),
                             persistent=False)

    @staticmethod
    def previous(t: Time) -> Time:
        """Where a training step from t leads: max(t - 1, 0)."""
        return (t - 1).clamp_min(0) if isinstance(t, Tensor) \
            else max(t - 1, 0)

    def lookup(self, table: Tensor, t: Time) -> Tensor:
        """A table (T+1,) at time t, linear between its entries.

        A whole number reads one entry: no copy and, on a GPU, no wait.

        Returns:
            A 0-d tensor for a number, (B, 1, 1, 1) for a tensor (B,).

        Raises:
            ValueError: For a number outside [0, T] (a tensor's values are not
                looked at, that would make a GPU wait).
        """
        if isinstance(t, Tensor) and t.ndim:
            if not t.is_floating_point():
                return table[t].view(-1, 1, 1, 1)
            low = t.floor().long().clamp(0, self.num_steps - 1)
            value = torch.lerp(table[low], table[low + 1],
                               (t - low).to(table.dtype))
            return value.view(-1, 1, 1, 1)
        t = self._number(t)
        low = min(int(t), self.num_steps - 1)
        if t == int(t):
            return table[int(t)]
        return torch.lerp(table[low], table[low + 1], t - low)

    def lookup_ceil(self, table: Tensor, t: Time) -> Tensor:
        """A table (T+1,) at the next whole time from t upwards."""
        if isinstance(t, Tensor) and t.ndim:
            return self.lookup(table, t.ceil().long())
        return self.lookup(table, math.ceil(self._number(t)))

    def _number(self, t: Time) -> Union[int, float]:
        t = t.item() if isinstance(t, Tensor) else t
        if not 0 <= t <= self.num_steps:
            raise ValueError(f'time {t} lies outside the process, which runs '
                             f'from 0 to {self.num_steps}.')
        return t

    def extra_repr(self) -> str:
        return f'num_steps={self.num_steps}'
