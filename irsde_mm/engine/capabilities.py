"""Protocols of models that hooks and metrics use.

Hooks and metrics do not import models. Any model with these members is
supported, such as IRSDERestorer.
"""
from typing import (Any, List, Optional, Protocol, Sequence,
                    runtime_checkable)

from torch import Tensor


@runtime_checkable
class WithSettings(Protocol):
    """Model whose settings are stored in its checkpoints."""

    #: Settings as plain values.
    settings: dict
    #: Values measured on training data, None before they are measured.
    measured: dict

    def measure(self, batches: Sequence[dict]) -> None:
        """Measure the values that are None."""

    def adopt_output(self, measured: dict) -> None:
        """Use values measured elsewhere."""

    def check_checkpoint(self, checkpoint: dict, own: Optional[dict] = None,
                         start: bool = False) -> List[str]:
        """Reject a checkpoint of another model, and return the settings in
        which a new training from its weights differs."""

    def adopt_settings(self, checkpoint: dict) -> None:
        """Use the settings stored with a checkpoint's weights."""


@runtime_checkable
class WithInitialNetwork(Protocol):
    """Model that contains a network trained earlier."""

    #: Whether a checkpoint of the model is loaded after ``init_weights``,
    #: which then needs no other file.
    loads_checkpoint: bool


@runtime_checkable
class WithTarget(Protocol):
    """Objective that compares a model with its averaged weights."""

    #: Estimates of the averaged weights, (xt, mu, t) -> Prediction.
    estimate: Any
    #: Fraction of the training that is done.
    progress: float


@runtime_checkable
class WithStates(Protocol):
    """Model that restores in steps and reports them to a callback."""

    #: Sampler used in validation.
    val_sampler: Any

    def forward_tensor(self, inputs: Tensor, data_samples: Any = None, *,
                       sampler: Any = None, callback: Any = None) -> Tensor:
        """Restore a batch."""


@runtime_checkable
class WithLikelihood(Protocol):
    """Model that bounds the likelihood of clean images."""

    def bits_per_dim(self, inputs: Tensor, data_samples: Any,
                     num_times: int) -> Tensor:
        """Bound -log2 p(clean | degraded) per pixel and channel."""
