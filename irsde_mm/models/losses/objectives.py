"""The training objectives: what a predicted noise is compared with."""
from typing import Optional

import torch
from torch import Tensor, nn

from ...registry import MODELS
from ...sde import SDE

L1 = dict(type='mmagic.L1Loss')


@MODELS.register_module()
class MaximumLikelihoodLoss(nn.Module):
    """Distance of the reverse mean from the optimal reverse state.

    Source: Luo et al., ICML 2023, equation 14 and proposition 3.2. The
    published objective takes the mean of one Euler step, which trains a
    slightly biased noise; the exact posterior mean does not.

    Args:
        distance (dict): Any registered pixel loss.
        exact (bool): Compare posterior means in place of the Euler mean; for
            any process.
        weighted (bool): Weigh each image by sigma_t^2.

    Attributes:
        objective (str): 'euler' or 'exact', kept in checkpoints.
    """

    def __init__(self, distance: dict = L1, exact: bool = False,
                 weighted: bool = False) -> None:
        super().__init__()
        self.distance = MODELS.build(distance)
        self.exact = exact
        self.weighted = weighted
        self.objective = 'exact' if exact else 'euler'

    def forward(self, sde: SDE, noise_pred: Tensor, *, xt: Tensor, x0: Tensor,
                mu: Optional[Tensor], t: Tensor, noise: Tensor) -> Tensor:
        """The loss, a scalar.

        Args:
            sde (SDE): The process; with an Euler form unless ``exact``.
            noise_pred, noise (Tensor): Predicted and true noise.
            xt, x0, mu (Tensor): State, clean and degraded images.
            t (Tensor): Times (B,), at least 1.

        Raises:
            ValueError: If the process has no Euler form and ``exact`` is off.
        """
        if self.exact:
            x0_pred = sde.predict_x0(xt, mu, noise_pred, t)
            mean = sde.posterior(xt, x0_pred, mu, t)[0]
        elif hasattr(sde, 'reverse_drift'):
            drift = sde.reverse_drift(xt, mu, sde.score(noise_pred, t), t)
            mean = xt - drift * sde.step_size(t)
        else:
            raise ValueError(f'{type(sde).__name__} has no Euler form; use '
                             'MaximumLikelihoodLoss(exact=True).')
        target = sde.posterior(xt, x0, mu, t)[0]
        if not self.weighted:
            return self.distance(mean, target)
        # image by image: a pixel loss's own weights may be normalised away
        each = torch.stack([self.distance(m[None], y[None])
                            for m, y in zip(mean, target)])
        return (sde.diffusion(t).flatten()**2 * each).mean()


@MODELS.register_module()
class NoiseMatchingLoss(nn.Module):
    """Distance of the predicted from the true noise.

    Source: Ho et al., NeurIPS 2020; the paper's ablation.

    Args:
        distance (dict): Any registered pixel loss.

    Attributes:
        objective (str): 'noise', kept in checkpoints.
    """

    objective = 'noise'

    def __init__(self, distance: dict = L1) -> None:
        super().__init__()
        self.distance = MODELS.build(distance)

    def forward(self, sde: SDE, noise_pred: Tensor, *, xt: Tensor, x0: Tensor,
                mu: Optional[Tensor], t: Tensor, noise: Tensor) -> Tensor:
        """The loss, a scalar. Arguments: :class:`MaximumLikelihoodLoss`."""
        return self.distance(noise_pred, noise)
