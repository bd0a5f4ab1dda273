"""Weighted sum of losses."""
from typing import Any, Callable, Optional, Sequence, Union

from torch import Tensor, nn

from ...errors import ConfigError
from ...registry import MODELS
from ...sde import SDE, EulerNoiseOutput, Prediction


@MODELS.register_module()
class SumLoss(nn.Module):
    """Weighted sum of losses.

    As a pixel loss of a regression model, ``forward(pred, target)``, all parts
    are pixel losses. As an objective of :class:`IRSDERestorer`, parts may be
    objectives and pixel losses; the latter compare the prediction's x0 with
    the clean image, both as images in [0, 1].

    Args:
        losses (Sequence[dict | nn.Module]): The losses or their configs.
        weights (Sequence[float], optional): Their factors, 1 by default.

    Attributes:
        objective (str): Objective of the parts, saved in checkpoints; 'clean'
            if all are pixel losses.

    Raises:
        ValueError: If there are no losses, another number of weights, or two
            objectives that differ.
    """

    def __init__(self, losses: Sequence[Union[dict, nn.Module]],
                 weights: Optional[Sequence[float]] = None) -> None:
        super().__init__()
        if not losses:
            raise ValueError('losses must contain a loss, but got none.')
        self.weights = [1.] * len(losses) if weights is None else weights
        if len(self.weights) != len(losses):
            raise ValueError(f'weights must contain {len(losses)} numbers, '
                             f'one for each loss, but got {self.weights}.')
        self.losses = nn.ModuleList(
            loss if isinstance(loss, nn.Module) else MODELS.build(loss)
            for loss in losses)
        parts = [loss for loss in self.losses if hasattr(loss, 'objective')]
        self.objective = single('objective', parts, 'clean')
        self.needs_euler_form, self.needs_stationary_end = (
            any(getattr(part, name, False) for part in parts)
            for name in ('needs_euler_form', 'needs_stationary_end'))
        if any(hasattr(part, 'importance') for part in parts):
            self.importance = single('importance', parts, False)

    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        """Return the loss as a scalar.

        Args:
            *args: ``pred, target``, images (B, C, H, W); or ``sde,
                prediction`` of an objective, see
                :class:`MaximumLikelihoodLoss`.
            **kwargs: The other arguments of an objective.

        Raises:
            ConfigError: If a model without a process uses an objective.
        """
        if not isinstance(args[0], SDE):
            if self.objective != 'clean':
                raise ConfigError(
                    f'SumLoss contains an objective ({self.objective!r}), '
                    'which needs a process; a regression model takes only '
                    'pixel losses.')
            return self.total(lambda loss: loss(*args, **kwargs))
        images = self.images(*args, **kwargs)
        return self.total(
            lambda loss: loss(*args, **kwargs)
            if hasattr(loss, 'objective') else loss(*images))

    def total(self, value: Callable[[nn.Module], Tensor]) -> Tensor:
        return sum(weight * value(loss)
                   for weight, loss in zip(self.weights, self.losses))

    def images(self, sde: SDE, prediction: Prediction, *, xt: Tensor,
               x0: Tensor, mu: Optional[Tensor], t: Tensor,
               **kwargs) -> tuple:
        """Return the predicted and the true clean image in [0, 1]."""
        if self.objective == 'euler':
            # the noise has the bias that the Euler objective trains
            prediction = EulerNoiseOutput().decode(
                sde, prediction.noise, xt, mu, t)
        return sde.to_image(prediction.x0), sde.to_image(x0)


def single(name: str, parts: Sequence[nn.Module], default: Any) -> Any:
    """Return the value of an attribute that all losses agree on.

    Raises:
        ValueError: If they do not.
    """
    values = sorted({getattr(part, name, default) for part in parts})
    if len(values) > 1:
        raise ValueError(f'losses must have a single {name}, but got '
                         f'{" and ".join(map(str, values))}.')
    return values[0] if values else default
