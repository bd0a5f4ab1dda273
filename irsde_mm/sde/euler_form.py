"""Euler form of a process: drift, diffusion and step size."""
from abc import ABC, abstractmethod
from typing import Optional

import torch
from torch import Tensor

from .base import Time, nonzero


class EulerForm(ABC):
    """Mixin for processes defined as dx = f(x, mu, t) dt + sigma_t dw.

    Required by Euler samplers and by the published training objective, which
    reject other processes when they are built. Use it together with
    :class:`SDE`, whose methods it calls.
    """

    @abstractmethod
    def drift(self, x: Tensor, mu: Optional[Tensor], t: Time,
              x0: Optional[Tensor] = None) -> Tensor:
        """Return the forward drift f(x, mu, t), (B, C, H, W).

        ``x0`` is used by processes that revert to the clean image.
        """

    @abstractmethod
    def reverse_drift(self, xt: Tensor, mu: Optional[Tensor], score: Tensor,
                      t: Time, probability_flow: bool = False) -> Tensor:
        """Return f - sigma_t^2 score, or f - sigma_t^2 score / 2 for the
        probability flow.

        A reverse Euler step is ``x - reverse_drift * step_size``, minus
        ``sigma_t sqrt(step_size) z`` for the SDE (Song et al., ICLR 2021,
        equations 6 and 13).
        """

    @abstractmethod
    def diffusion(self, t: Time) -> Tensor:
        """Return sigma_t."""

    @abstractmethod
    def step_size(self, t: Time, s: Optional[Time] = None) -> Tensor:
        """Return the length of the Euler step from t to s, by default one
        training step."""

    def debias(self, noise: Tensor, xt: Tensor, mu: Optional[Tensor],
               t: Time) -> Tensor:
        """Return the unbiased noise for a prediction trained with the Euler
        objective.

        The objective matches the Euler mean, which is linear in the predicted
        noise, to the posterior mean, which is linear in the true noise. Solve
        ``posterior mean(e) = Euler mean(noise)`` for e.
        """
        s = self.previous(t)
        drift = self.reverse_drift(xt, mu, self.score(noise, t), t)
        mean = xt - drift * self.step_size(t, s)
        a, _, c = self.coefficients(t)
        x0 = self.predict_x0(xt, mu, torch.zeros_like(xt), t)
        zero = self.posterior(xt, x0, mu, t, s)[0]
        # d(posterior mean)/de, where dx0/de = -c_t / a_t
        ones, zeros = torch.ones_like(a), torch.zeros_like(a)
        weight = self.posterior(zeros, ones, zeros, t, s)[0]
        slope = weight * c / nonzero(a)
        return (zero - mean) / nonzero(slope)
