"""Parameterizations of the network output: noise, clean image, residual."""
from abc import ABC, abstractmethod
from typing import Callable, NamedTuple, Optional, Sequence, Tuple

import torch
from torch import Tensor

from .base import SDE, Time, combine, nonzero
from .euler_form import EulerForm


class Prediction(NamedTuple):
    """Consistent estimates at one time, in the range of the process.

    Attributes:
        x0 (Tensor): Clean image (B, C, H, W).
        noise (Tensor): Noise; 0 where c_t = 0.
        mu (Tensor, optional): End of the process: the degraded image, or an
            estimate of it.
    """

    x0: Tensor
    noise: Tensor
    mu: Optional[Tensor]


Denoiser = Callable[[Tensor, Time], Prediction]


class Output(ABC):
    """Parameterization of the network output.

    Converts the output to a :class:`Prediction`. Stateless with respect to
    images, so an instance can be shared. All images are (B, C, H, W) in the
    range of the process.
    """

    #: Number of output channels per image channel.
    channels = 1
    #: Whether the estimate of x0 divides by a_t.
    needs_signal = False
    #: Whether the output has no meaning for a process without noise.
    needs_noise = False
    #: Arguments measured on the training data if they are None.
    measured: Tuple[str, ...] = ()

    @abstractmethod
    def decode(self, sde: SDE, out: Tensor, xt: Tensor, mu: Optional[Tensor],
               t: Time) -> Prediction:
        """Convert a network output to a prediction.

        Args:
            sde (SDE): The process.
            out (Tensor): Network output (B, channels * C, H, W).
            xt, mu (Tensor): State at time t and degraded image.
            t: Time, a number or (B,).
        """

    @abstractmethod
    def target(self, sde: SDE, xt: Tensor, x0: Tensor, mu: Optional[Tensor],
               t: Time, noise: Tensor) -> Tensor:
        """Return the ideal network output, which decodes to x0.

        Args:
            sde (SDE): The process.
            xt, x0, mu, noise (Tensor): State, clean image, degraded image and
                noise at time t.
            t: Time, a number or (B,).
        """

    def weight(self, sde: SDE, t: Time) -> Tensor:
        """Return the training weight of output errors, (B, 1, 1, 1) or 0-d,
        chosen so that equal errors contribute equally at all times."""
        return torch.ones_like(sde.coefficients(t)[2])

    def one_call(self, sde: SDE, t: Time) -> bool:
        """Return whether a single output at time t gives a useful estimate of
        x0, whose error is at most twice that of the output.

        Args:
            sde (SDE): The process.
            t: Time, a number.
        """
        return not self.needs_signal or float(sde.coefficients(t)[0]) >= 0.5

    def trained_with(self, objective: str) -> 'Output':
        """Return the output that matches weights trained with an objective."""
        return self

    def for_euler_steps(self) -> 'Output':
        """Return the output used by Euler samplers and the Euler objective."""
        return self

    def measure(self, pairs: Sequence[Tuple[Tensor, Tensor]]) -> None:
        """Measure the arguments in :attr:`measured` that are None.

        Args:
            pairs: Clean and degraded training images (B, C, H, W).
        """

    def check(self, sde: SDE) -> None:
        """Check that this output supports a process.

        Raises:
            ValueError: If the process is not supported.
        """
        if self.needs_noise and not sde.has_noise:
            raise ValueError(
                f'{type(self).__name__} needs a process with noise, unlike '
                f'this {type(sde).__name__}; use VelocityOutput or '
                'CleanOutput.')


def with_x0(sde: SDE, x0: Tensor, xt: Tensor, mu: Optional[Tensor],
            t: Time) -> Prediction:
    """Return the prediction for an estimate of x0."""
    return Prediction(x0, sde.predict_noise(xt, mu, x0, t),
                      sde.predict_end(xt, mu, x0, t))


class NoiseOutput(Output):
    """Output that predicts the noise.

    Source: Luo et al., ICML 2023 (IR-SDE); Saharia et al., TPAMI 2022 (SR3);
    Yue et al., ICML 2024 (GOUB).
    """

    needs_signal = needs_noise = True

    def decode(self, sde: SDE, out: Tensor, xt: Tensor, mu: Optional[Tensor],
               t: Time) -> Prediction:
        x0 = sde.predict_x0(xt, mu, out, t)
        if not sde.noise_at_end:
            c = sde.coefficients(t)[2]
            out = torch.where(c > 0, out, torch.zeros_like(out))
        return Prediction(x0, out, mu)

    def target(self, sde: SDE, xt: Tensor, x0: Tensor, mu: Optional[Tensor],
               t: Time, noise: Tensor) -> Tensor:
        return noise

    def trained_with(self, objective: str) -> Output:
        return EulerNoiseOutput() if objective == 'euler' else self


class EulerNoiseOutput(NoiseOutput):
    """Output that predicts the noise with the bias of the published objective.

    Weights trained with the Euler mean predict slightly biased noise, see
    :meth:`EulerForm.debias`. The bias cancels in Euler steps, which use the
    output unchanged. Elsewhere, the bias is removed.

    Source: docs/paper_to_code.md.
    """

    def decode(self, sde: SDE, out: Tensor, xt: Tensor, mu: Optional[Tensor],
               t: Time) -> Prediction:
        return super().decode(sde, sde.debias(out, xt, mu, t), xt, mu, t)

    def target(self, sde: SDE, xt: Tensor, x0: Tensor, mu: Optional[Tensor],
               t: Time, noise: Tensor) -> Tensor:
        # debias is affine in the output, so solve it for the noise.
        zero = sde.debias(torch.zeros_like(noise), xt, mu, t)
        slope = sde.debias(torch.ones_like(noise), xt, mu, t) - zero
        return (noise - zero) / slope

    def for_euler_steps(self) -> Output:
        return NoiseOutput()

    def check(self, sde: SDE) -> None:
        super().check(sde)
        if not isinstance(sde, EulerForm):
            raise ValueError('EulerNoiseOutput does not support '
                             f'{type(sde).__name__}, which has no Euler form; '
                             'use NoiseOutput.')


class CleanOutput(Output):
    """Output that predicts the clean image or its residual x0 - mu.

    Source: Yue et al., NeurIPS 2023 (ResShift).

    Args:
        residual (bool): Whether the output is the residual: x0 = mu + output.
    """

    def __init__(self, residual: bool = False) -> None:
        self.residual = residual

    def decode(self, sde: SDE, out: Tensor, xt: Tensor, mu: Optional[Tensor],
               t: Time) -> Prediction:
        return with_x0(sde, mu + out if self.residual else out, xt, mu, t)

    def target(self, sde: SDE, xt: Tensor, x0: Tensor, mu: Optional[Tensor],
               t: Time, noise: Tensor) -> Tensor:
        return x0 - mu if self.residual else x0


class ResidualOutput(Output):
    """Output that predicts the degradation: x0 = mu - output.

    Source: Liu et al., CVPR 2024 (RDDM's ``pred_res``).
    """

    def decode(self, sde: SDE, out: Tensor, xt: Tensor, mu: Optional[Tensor],
               t: Time) -> Prediction:
        return with_x0(sde, mu - out, xt, mu, t)

    def target(self, sde: SDE, xt: Tensor, x0: Tensor, mu: Optional[Tensor],
               t: Time, noise: Tensor) -> Tensor:
        return mu - x0


class StepOutput(Output):
    """Output that predicts xt - x0 in units of the forward deviation.

    x0 = xt - s_t output, with s_t from :meth:`SDE.forward_std`.

    Source: Liu et al., ICML 2023 (I2SB), equation 12.
    """

    needs_noise = True

    def decode(self, sde: SDE, out: Tensor, xt: Tensor, mu: Optional[Tensor],
               t: Time) -> Prediction:
        x0 = combine((1, xt), (-sde.forward_std(t), out))
        return with_x0(sde, x0, xt, mu, t)

    def target(self, sde: SDE, xt: Tensor, x0: Tensor, mu: Optional[Tensor],
               t: Time, noise: Tensor) -> Tensor:
        return (xt - x0) / nonzero(sde.forward_std(t))


class VelocityOutput(Output):
    """Output that predicts the time derivative of the state.

    v = a' x0 + b' mu + c' noise. The state is used to eliminate the noise, or
    mu where the state has no noise, so a straight process without noise gives
    x0 = xt - t v.

    Source: Salimans and Ho, ICLR 2022; Liu et al., ICLR 2023 (rectified
    flow).

    Args:
        per_step (bool): Whether the output is the derivative with respect to
            t, the change per step. Otherwise it is T times as large, of the
            size of x0 - mu, which networks learn far better.
    """

    def __init__(self, per_step: bool = True) -> None:
        self.per_step = per_step

    def unit(self, sde: SDE) -> int:
        """Return the factor of the output relative to the derivative."""
        return 1 if self.per_step else sde.num_steps

    def one_call(self, sde: SDE, t: Time) -> bool:
        c, dc = sde.coefficients(t)[2], sde.velocity(t)[2]
        _, scale = self._solve(sde, t)
        # a noisy bridge gives no estimate at T, see decode
        return bool((c > 0) | (dc == 0) | sde.noise_at_end) and (
            abs(float(scale)) <= 2 * sde.num_steps)

    @staticmethod
    def _solve(sde: SDE, t: Time) -> Tuple[Tensor, Tensor]:
        """Return k and the scale in x0 = scale (v - k xt + (k b - db) mu)."""
        (a, b, c), (da, db, dc) = sde.coefficients(t), sde.velocity(t)
        k = torch.where(c > 0, dc / nonzero(c), db / nonzero(b))
        return k, 1 / (da - k * a)

    def decode(self, sde: SDE, out: Tensor, xt: Tensor, mu: Optional[Tensor],
               t: Time) -> Prediction:
        (_, b, c), (_, db, dc) = sde.coefficients(t), sde.velocity(t)
        k, scale = self._solve(sde, t)
        x0 = combine((scale / self.unit(sde), out), (-k * scale, xt),
                     ((k * b - db) * scale, mu))
        if not sde.noise_at_end:  # a noisy bridge gives no estimate at T
            x0 = torch.where((c > 0) | (dc == 0), x0, mu)
        return with_x0(sde, x0, xt, mu, t)

    def target(self, sde: SDE, xt: Tensor, x0: Tensor, mu: Optional[Tensor],
               t: Time, noise: Tensor) -> Tensor:
        da, db, dc = sde.velocity(t)
        unit = self.unit(sde)
        return combine((unit * da, x0), (unit * db, mu), (unit * dc, noise))


class PreconditionedOutput(Output):
    """Output that predicts x0 - mu, preconditioned to unit variance.

    With y = xt - (a + b) mu = a r + c noise, r = x0 - mu, V = a^2 sd^2 + c^2:
    x0 = mu + (a sd^2 / V) y + (c sd / sqrt(V)) output. Errors of the output
    have equal weights at all times, those of x0 sqrt(V) / (c sd).

    Source: Karras et al., NeurIPS 2022, section 5, on the residual.

    Args:
        sigma_data (float, optional): sd > 0, the standard deviation of
            x0 - mu in the range of the process. By default, it is measured on
            the training data when training starts and saved in the
            checkpoint.

    Raises:
        ValueError: If ``sigma_data`` is not positive.
    """

    measured = ('sigma_data', )
    needs_noise = True

    def __init__(self, sigma_data: Optional[float] = None) -> None:
        if sigma_data is not None and not sigma_data > 0:
            raise ValueError('sigma_data must be positive, but got '
                             f'{sigma_data}.')
        self.sigma_data = sigma_data

    def measure(self, pairs: Sequence[Tuple[Tensor, Tensor]]) -> None:
        if self.sigma_data is None:
            square = sum(float((x0 - mu).square().sum()) for x0, mu in pairs)
            self.sigma_data = (square / sum(
                x0.numel() for x0, _ in pairs))**0.5 or 1e-3

    def scales(self, sde: SDE, t: Time) -> tuple:
        """Return (c_skip, c_out) at time t.

        Raises:
            ValueError: If ``sigma_data`` has not been measured yet.
        """
        if self.sigma_data is None:
            raise ValueError('PreconditionedOutput needs sigma_data; set it, '
                             'or train or load a checkpoint first.')
        a, _, c = sde.coefficients(t)
        sd = self.sigma_data
        variance = (a * sd)**2 + c**2
        # At the end of a bridge y = 0, so only the network output counts.
        share = torch.where(variance > 0, c / nonzero(variance.sqrt()), 1.)
        return a * sd**2 / nonzero(variance), sd * share

    def decode(self, sde: SDE, out: Tensor, xt: Tensor, mu: Optional[Tensor],
               t: Time) -> Prediction:
        a, b, _ = sde.coefficients(t)
        skip, scale = self.scales(sde, t)
        x0 = combine((1, mu), (skip, xt), (-skip * (a + b), mu), (scale, out))
        return with_x0(sde, x0, xt, mu, t)

    def target(self, sde: SDE, xt: Tensor, x0: Tensor, mu: Optional[Tensor],
               t: Time, noise: Tensor) -> Tensor:
        a, b, _ = sde.coefficients(t)
        skip, scale = self.scales(sde, t)
        return combine((1, x0 - mu), (-skip, xt), (skip * (a + b), mu)
                       ).div_(nonzero(scale))


class ResidualNoiseOutput(Output):
    """Output that predicts the degradation and the noise, concatenated.

    x0 = xt - b res - c noise for a process with a + b = 1, and mu = x0 + res,
    so the end of the process is estimated as well. With both estimates,
    :meth:`SDE.jump` is the published step.

    Source: Liu et al., CVPR 2024 (RDDM's ``pred_res_noise``).
    """

    channels = 2
    needs_noise = True

    def decode(self, sde: SDE, out: Tensor, xt: Tensor, mu: Optional[Tensor],
               t: Time) -> Prediction:
        residual, noise = out.chunk(2, dim=1)
        _, b, c = sde.coefficients(t)
        x0 = combine((1, xt), (-b, residual), (-c, noise))
        return Prediction(x0, noise, x0 + residual)

    def target(self, sde: SDE, xt: Tensor, x0: Tensor, mu: Optional[Tensor],
               t: Time, noise: Tensor) -> Tensor:
        return torch.cat((mu - x0, noise), dim=1)

    def check(self, sde: SDE) -> None:
        super().check(sde)
        a, b, _ = sde.coefficients(sde.num_steps / 2)
        if not torch.isclose(a + b, torch.ones_like(a)):
            raise ValueError('ResidualNoiseOutput needs a process with '
                             f'a + b = 1, unlike {type(sde).__name__}.')
