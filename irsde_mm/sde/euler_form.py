"""Euler form of a process: drift, diffusion and step sizes."""
from abc import ABC, abstractmethod
from typing import Optional

import torch
from torch import Tensor

from .base import Time, nonzero


class EulerForm(ABC):
    """Mixin of processes that are given as dx = f(x, mu, t) dt + sigma_t dw.

    Euler samplers and the published training objective need it; a process
    without it is refused when they are built. Mixed in beside
    :class:`SDE`, whose methods it uses.
    """

    @abstractmethod
    def drift(self, x: Tensor, mu: Optional[Tensor], t: Time,
              x0: Optional[Tensor] = None) -> Tensor:
        """The forward drift f(x, mu, t), (B, C, H, W).

        ``x0`` is for processes that revert to the clean image.
        """

    @abstractmethod
    def reverse_drift(self, xt: Tensor, mu: Optional[Tensor], score: Tensor,
                      t: Time, probability_flow: bool = False) -> Tensor:
        """f - sigma_t^2 score; f - sigma_t^2 score / 2 for the flow.

        One Euler step back is ``x - reverse_drift * step_size``, less
        ``sigma_t sqrt(step_size) z`` for the SDE (Song et al., ICLR 2021,
        equations 6 and 13).
        """

    @abstractmethod
    def diffusion(self, t: Time) -> Tensor:
        """sigma_t."""

    @abstractmethod
    def step_size(self, t: Time, s: Optional[Time] = None) -> Tensor:
        """Length of the Euler step from t to s (default: a training step)."""

    def debias(self, noise: Tensor, xt: Tensor, mu: Optional[Tensor],
               t: Time) -> Tensor:
        """True noise behind a prediction trained with the Euler objective.

        That objective compares the Euler mean, linear in the predicted
        noise, with the mean of the posterior, linear in the true one. This
        solves ``posterior mean(e) = Euler mean(noise)`` for e.
        """
        s = self.previous(t)
        drift = self.reverse_drift(xt, mu, self.score(noise, t), t)
        mean = xt - drift * self.step_size(t, s)
        a, _, c = self.coefficients(t)
        x0 = self.predict_x0(xt, mu, torch.zeros_like(xt), t)
        zero = self.posterior(xt, x0, mu, t, s)[0]
        # d(posterior mean)/de: through x0, which moves by -c_t / a_t
        one, nought = torch.ones_like(a), torch.zeros_like(a)
        share = self.posterior(nought, one, nought, t, s)[0]
        slope = share * c / nonzero(a)
        return (zero - mean) / nonzero(slope)
