"""Training objectives."""
from typing import Optional

import torch
from torch import Tensor, nn

from ...registry import MODELS
from ...sde import SDE
from ...sde.predictions import Prediction

L1 = dict(type='mmagic.L1Loss')


def weighted(distance: nn.Module, value: Tensor, target: Tensor,
             weight: Tensor) -> Tensor:
    """Return the mean over images of weight times distance.

    The distance is computed per image, because a pixel loss may normalize
    weights passed to it.

    Args:
        distance (nn.Module): A pixel loss.
        value, target (Tensor): Images (B, C, H, W).
        weight (Tensor): (B, 1, 1, 1), or 0-d.
    """
    weight = weight.expand(len(value), 1, 1, 1).flatten()
    each = torch.stack([distance(v[None], y[None])
                        for v, y in zip(value, target)])
    return (weight * each).mean()


@MODELS.register_module()
class MaximumLikelihoodLoss(nn.Module):
    """Distance between the reverse mean and the optimal reverse state.

    Source: Luo et al., ICML 2023, equation 14 and proposition 3.2. The
    published objective uses the mean of one Euler step, which trains slightly
    biased noise; the exact posterior mean does not.

    Args:
        distance (dict): Any registered pixel loss.
        exact (bool): Whether to compare posterior means instead of the Euler
            mean; supports any process.
        weighted (bool): Whether to weight each image by sigma_t^2.

    Attributes:
        objective (str): 'euler' or 'exact', saved in checkpoints.
        needs_euler_form (bool): Whether the process needs an Euler form.
    """

    needs_stationary_end = False

    def __init__(self, distance: dict = L1, exact: bool = False,
                 weighted: bool = False) -> None:
        super().__init__()
        self.distance = MODELS.build(distance)
        self.exact = exact
        self.weighted = weighted
        self.needs_euler_form = not exact or weighted
        self.objective = 'exact' if exact else 'euler'

    def forward(self, sde: SDE, prediction: Prediction, *, output: Tensor,
                target: Tensor, xt: Tensor, x0: Tensor, mu: Optional[Tensor],
                t: Tensor, noise: Tensor,
                weight: Optional[Tensor] = None) -> Tensor:
        """Return the loss as a scalar.

        Args:
            sde (SDE): The process; with an Euler form unless ``exact``.
            prediction (Prediction): The decoded network output.
            output, target (Tensor): The network output
                (B, channels * C, H, W) and its target.
            xt, x0, mu, noise (Tensor): State, clean images, degraded images
                and noise (B, C, H, W).
            t (Tensor): Times (B,), at least 1.
            weight (Tensor, optional): Weight of output errors.
        """
        if self.exact:
            mean = sde.posterior(xt, prediction.x0, prediction.mu, t)[0]
        else:
            score = sde.score(prediction.noise, t)
            drift = sde.reverse_drift(xt, prediction.mu, score, t)
            mean = xt - drift * sde.step_size(t)
        optimum = sde.posterior(xt, x0, mu, t)[0]
        if not self.weighted:
            return self.distance(mean, optimum)
        return weighted(self.distance, mean, optimum, sde.diffusion(t)**2)


@MODELS.register_module()
class NoiseMatchingLoss(nn.Module):
    """Distance between the predicted and the true noise.

    Source: Ho et al., NeurIPS 2020; the paper's ablation.

    Args:
        distance (dict): Any registered pixel loss.

    Attributes:
        objective (str): 'noise', saved in checkpoints.
    """

    objective = 'noise'
    needs_euler_form = needs_stationary_end = False
    needs_noise = True

    def __init__(self, distance: dict = L1) -> None:
        super().__init__()
        self.distance = MODELS.build(distance)

    def forward(self, sde: SDE, prediction: Prediction, *, output: Tensor,
                target: Tensor, xt: Tensor, x0: Tensor, mu: Optional[Tensor],
                t: Tensor, noise: Tensor,
                weight: Optional[Tensor] = None) -> Tensor:
        """Return the loss as a scalar, see :class:`MaximumLikelihoodLoss`."""
        return self.distance(prediction.noise, noise)


@MODELS.register_module()
class OutputLoss(nn.Module):
    """Weighted distance between the network output and its target.

    Supports any output and process: :meth:`Output.target` defines the target,
    and :meth:`Output.weight` weights the errors.

    Args:
        distance (dict): Any registered pixel loss.

    Attributes:
        objective (str): 'output', saved in checkpoints.
    """

    objective = 'output'
    needs_euler_form = needs_stationary_end = False

    def __init__(self, distance: dict = L1) -> None:
        super().__init__()
        self.distance = MODELS.build(distance)

    def forward(self, sde: SDE, prediction: Prediction, *, output: Tensor,
                target: Tensor, xt: Tensor, x0: Tensor, mu: Optional[Tensor],
                t: Tensor, noise: Tensor,
                weight: Optional[Tensor] = None) -> Tensor:
        """Return the loss as a scalar, see :class:`MaximumLikelihoodLoss`."""
        if weight is None:
            return self.distance(output, target)
        return weighted(self.distance, output, target, weight)
