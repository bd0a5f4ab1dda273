"""What hooks and metrics use of a model that has it.

They import no models: one with these members will do, such as IRSDERestorer.
"""
from typing import Any, Protocol, Sequence, runtime_checkable

from torch import Tensor


@runtime_checkable
class WithSettings(Protocol):
    """A model whose settings are kept in its checkpoints."""

    #: As plain values.
    settings: dict
    #: Values that are measured on training data, None until they are.
    measured: dict

    def measure(self, batches: Sequence[dict]) -> None:
        """Measures the values that are None."""

    def adopt_output(self, measured: dict) -> None:
        """Takes over measured values."""

    def check_checkpoint(self, checkpoint: dict) -> None:
        """Refuses a checkpoint of another model."""

    def adopt_settings(self, checkpoint: dict) -> None:
        """Takes over the settings that belong to a checkpoint's weights."""


@runtime_checkable
class WithStates(Protocol):
    """A model that restores in steps, which a callback can follow."""

    #: The sampler of validation.
    val_sampler: Any

    def forward_tensor(self, inputs: Tensor, data_samples: Any = None, *,
                       sampler: Any = None, callback: Any = None) -> Tensor:
        """Restores a batch."""


@runtime_checkable
class WithLikelihood(Protocol):
    """A model that bounds the likelihood of clean images."""

    def bits_per_dim(self, inputs: Tensor, data_samples: Any,
                     num_times: int) -> Tensor:
        """A bound on -log2 p(clean | degraded) a pixel and channel."""
