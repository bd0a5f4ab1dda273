"""Base class of processes with a Gaussian marginal."""
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
    """Process from a clean image x0 toward a degraded image mu.

    Its marginal is ``x_t = a_t x0 + b_t mu + c_t noise`` with noise ~ N(0, I),
    so a process is defined by the curve t -> (a, b, c) and the coefficient
    A(t, s) of x_s in its forward transition. All other methods follow from
    these two (docs/paper_to_code.md).

    Images are (B, C, H, W) floats in [0, 1], or in the process's own range,
    to which :meth:`from_image` maps them. Times run from 0 (clean) to
    ``num_steps``; a time is an int, a float (interpolated between table
    entries) or a tensor (B,), one per image. Methods do not modify their
    arguments and keep no state between calls. ``mu`` may be None for a
    process with b = 0.

    Args:
        num_steps (int): T, the number of steps of the training grid, >= 1.
    """

    #: Constructor arguments that affect only inference. Checkpoints that
    #: differ in them remain compatible.
    runtime_args: Tuple[str, ...] = ()
    #: Sampler used in the paper: 'sde' or 'ode' with Euler steps, 'posterior'
    #: or 'jump'.
    published_sampler = 'sde'
    #: Range to which the paper's implementation clamps estimates of x0, in
    #: the range of the process.
    published_clamp: Optional[Tuple[float, float]] = None
    #: Whether the state at T still depends on x0 (a_T > 0). If not, the
    #: predicted noise at T does not determine x0.
    signal_at_end = True
    #: Whether the state at T is random (c_T > 0); a bridge ends in mu.
    noise_at_end = True
    #: Whether states are random at all (c_t > 0 for 0 < t < T).
    has_noise = True
    #: Whether sampling starts at the time whose noise level matches the
    #: input.
    starts_at_noise_level = False
    #: Whether sampling starts in mu itself or in the noise of the process
    #: around it, so that a noise level of mu is refused.
    starts_in_mu = False
    #: Whether the process ends near N(m, lam^2) with a known m, as required
    #: for a likelihood.
    stationary_end = False

    def __init__(self, num_steps: int = 100) -> None:
        super().__init__()
        if not isinstance(num_steps, int) or num_steps < 1:
            raise ValueError('num_steps must be an integer of at least 1, but '
                             f'got {num_steps!r}.')
        self.num_steps = num_steps

    @classmethod
    def example(cls, num_steps: int = 100, **kwargs) -> 'SDE':
        """Create a process with typical settings, for tests and plots.

        Args:
            num_steps (int): T.
            **kwargs: Other constructor arguments.
        """
        return cls(num_steps=num_steps, **kwargs)

    # ------------------------------------------------------- definition

    @abstractmethod
    def coefficients(self, t: Time) -> Coefficients:
        """Return the coefficients (a_t, b_t, c_t).

        Args:
            t: Time in [0, T]; may be fractional.

        Returns:
            Three 0-d tensors for a number, three (B, 1, 1, 1) for (B,).
        """

    def retention(self, t: Time, s: Time) -> Tensor:
        """Return A(t, s), the coefficient of x_s in the transition s -> t."""
        return self.coefficients(t)[0] / self.coefficients(s)[0]

    @abstractmethod
    def start(self, mu: Tensor, generator: Generators = None,
              sigma: Optional[float] = None) -> Tuple[Tensor, Time]:
        """Return the state and time from which sampling starts.

        Args:
            mu (Tensor): Degraded images (B, C, H, W).
            generator: Source of the initial noise, see :func:`draw_noise`.
            sigma (float, optional): Noise level of ``mu`` in [0, 1], for
                processes that start at that level; others ignore it.

        Returns:
            (xt, t): the state and its time.
        """

    # ---------------------------------------- between images and networks

    def from_image(self, image: Tensor) -> Tensor:
        """Map an image from [0, 1] to the range of the process."""
        return image

    def to_image(self, x: Tensor) -> Tensor:
        """Invert :meth:`from_image`."""
        return x

    def network_time(self, t: Time) -> Union[Time, Tuple[Time, ...]]:
        """Return the network's time input at time t, or a tuple of two."""
        return t

    def input_scale(self, t: Time) -> Union[int, Tensor]:
        """Return the factor applied to the state in the network input."""
        return 1

    # ------------------------------------------------------------- forward

    def marginal(self, x0: Tensor, mu: Tensor,
                 t: Time) -> Tuple[Tensor, Tensor]:
        """Return the mean (B, C, H, W) and standard deviation of
        p(x_t | x0, mu)."""
        a, b, c = self.coefficients(t)
        return combine((a, x0), (b, mu)), c

    def transition(self, xs: Tensor, x0: Tensor, mu: Tensor, s: Time,
                   t: Time) -> Tuple[Tensor, Tensor]:
        """Return the mean and standard deviation of p(x_t | x_s, x0, mu),
        s < t."""
        (at, bt, ct), (as_, bs, cs) = self.coefficients(t), \
            self.coefficients(s)
        A = self.retention(t, s)
        mean = combine((A, xs), (at - A * as_, x0), (bt - A * bs, mu))
        return mean, (ct**2 - (A * cs)**2).clamp_min(0).sqrt()

    def perturb(self, x0: Tensor, mu: Tensor, t: Time,
                noise: Tensor) -> Tensor:
        """Return the state x_t for the given noise."""
        a, b, c = self.coefficients(t)
        return combine((a, x0), (b, mu), (c, noise))

    # ------------------------------------------- estimates from the noise

    def score(self, noise: Tensor, t: Time) -> Tensor:
        """Return the gradient of ln p(x_t | x0, mu): -noise / c_t, or 0 where
        c_t = 0."""
        return noise / -nonzero(self.coefficients(t)[2])

    def predict_x0(self, xt: Tensor, mu: Optional[Tensor], noise: Tensor,
                   t: Time) -> Tensor:
        """Return the clean image that yields x_t with the given noise, or mu
        where a_t = 0 and x0 is undetermined."""
        a, b, c = self.coefficients(t)
        # Divide last: near T, xt and b mu almost cancel, and a is 0.005.
        x0 = combine((1, xt), (-b, mu), (-c, noise)).div_(nonzero(a))
        return x0 if self.signal_at_end else torch.where(
            a > 0, x0, x0 if mu is None else mu)

    def predict_noise(self, xt: Tensor, mu: Optional[Tensor], x0: Tensor,
                      t: Time) -> Tensor:
        """Return the noise that yields x_t with the given clean image, or 0
        where c_t = 0."""
        a, b, c = self.coefficients(t)
        return combine((1, xt), (-a, x0), (-b, mu)).div_(nonzero(c))

    def predict_end(self, xt: Tensor, mu: Optional[Tensor], x0: Tensor,
                    t: Time) -> Optional[Tensor]:
        """Return the end of the process that goes with a clean image: mu,
        except where the state has no noise that could explain it."""
        return mu

    def forward_std(self, t: Time) -> Tensor:
        """Return the standard deviation of x_t given x0 in the forward
        diffusion without conditioning on its end; c_t except for bridges."""
        return self.coefficients(t)[2]

    def velocity(self, t: Time) -> Coefficients:
        """Return the derivatives (a', b', c') with respect to t > 0, as a
        difference quotient over part of the step before t."""
        before = torch.maximum(t - 1 / 16, t / 2) \
            if isinstance(t, Tensor) else max(t - 1 / 16, t / 2)
        h = t - before
        h = h.view(-1, 1, 1, 1) if isinstance(h, Tensor) and h.ndim else h
        return tuple((y - x) / h for x, y in zip(
            self.coefficients(before), self.coefficients(t)))

    # ------------------------------------------------------------ backward

    @staticmethod
    def _posterior_std(ratio: Tensor, cs: Tensor) -> Tensor:
        """Return v1 = c_s sqrt(1 - ratio^2) of p(x_s | x_t, x0, mu), with
        ratio = A(t, s) c_s / c_t."""
        return cs * (1 - ratio**2).clamp_min(0).sqrt()

    def posterior(self, xt: Tensor, x0: Tensor, mu: Tensor, t: Time,
                  s: Optional[Time] = None) -> Tuple[Tensor, Tensor]:
        """Return the mean and standard deviation of p(x_s | x_t, x0, mu),
        s < t.

        ``s`` defaults to :meth:`previous`; the mean is then the paper's
        "optimal reverse state". At s = 0 the mean is x0 and the standard
        deviation 0. If c_t = 0, the posterior is the marginal at s.
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
        """Return the state at s < t from estimates of x0 and noise at t.

        Computes ``a_s x0 + b_s mu + sqrt(c_s^2 - v^2) noise + v z`` with
        v = eta v1. eta = 0 is the deterministic (DDIM) jump, eta = 1 a sample
        of the posterior. If c_t = 0, the posterior is the marginal at s.

        Args:
            x0, noise, mu (Tensor): Images (B, C, H, W).
            eta (float): Fraction of fresh noise in [0, 1].
            z (Tensor, optional): Fresh standard normal noise; None returns
                the mean.
        """
        a, b, c = self.coefficients(s)
        ratio = self.retention(t, s) * c / nonzero(self.coefficients(t)[2])
        v = eta * self._posterior_std(ratio, c)
        rest = (c**2 - v**2).clamp_min(0).sqrt()
        return combine((a, x0), (b, mu), (rest, noise), (v, z))

    # --------------------------------------------------------------- times

    def keep_table(self, name: str, table: Tensor) -> None:
        """Register a float64 table as a non-persistent buffer in the default
        dtype."""
        self.register_buffer(name, table.to(torch.get_default_dtype()),
                             persistent=False)

    @staticmethod
    def previous(t: Time) -> Time:
        """Return the time one training step before t: max(t - 1, 0)."""
        return (t - 1).clamp_min(0) if isinstance(t, Tensor) \
            else max(t - 1, 0)

    def lookup(self, table: Tensor, t: Time) -> Tensor:
        """Look up a table (T+1,) at time t, interpolating linearly.

        An integer time reads a single entry without a copy or a GPU sync.

        Returns:
            A 0-d tensor for a number, (B, 1, 1, 1) for a tensor (B,).

        Raises:
            ValueError: If a number lies outside [0, T]. Tensor values are not
                checked, which would require a GPU sync.
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
        """Look up a table (T+1,) at the time t rounded up."""
        if isinstance(t, Tensor) and t.ndim:
            return self.lookup(table, t.ceil().long())
        return self.lookup(table, math.ceil(self._number(t)))

    def _number(self, t: Time) -> Union[int, float]:
        t = t.item() if isinstance(t, Tensor) else t
        if not 0 <= t <= self.num_steps:
            raise ValueError(f'time {t} is out of range: the process runs '
                             f'from 0 to {self.num_steps}.')
        return t

    def extra_repr(self) -> str:
        return f'num_steps={self.num_steps}'
