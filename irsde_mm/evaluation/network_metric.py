"""Base class of metrics on features of pretrained networks.

The weights of the networks are local files; nothing is downloaded. A metric
whose weights are missing is skipped, and the others are still reported.
"""
import logging
from abc import abstractmethod
from functools import cached_property
from pathlib import Path
from typing import Dict, Optional, Sequence

import torch
from mmengine.logging import print_log
from torch import Tensor, nn
from torch.utils.data import DataLoader

from ..model_files.feature_networks import load_network
from .base import RestorationMetric


def warn(line: str) -> None:
    """Log a warning."""
    print_log(line, logger='current', level=logging.WARNING)


class NetworkMetric(RestorationMetric):
    """Metric on the features of a pretrained network.

    Args:
        weights (str, optional): File with the network's state dict. Without
            it the metric logs a warning and reports nothing.
        device (str, optional): Device of the network. Default: 'cuda' if
            available, else 'cpu'.
        **kwargs: Arguments of :class:`BaseSampleWiseMetric` (``prefix``, ...).

    Raises:
        CheckpointError: Before the first image, if the file is broken or
            belongs to another network.
    """

    network_name: str
    """Name of the network in messages."""
    advice = 'see docs/tasks.md'
    """Hint in the message about missing weights."""

    def __init__(self, weights: Optional[str], device: Optional[str] = None,
                 **kwargs) -> None:
        device = device or ('cuda' if torch.cuda.is_available() else 'cpu')
        super().__init__(device=device, **kwargs)
        self.weights = weights
        self.has_weights = self.find(weights, self.network_name)

    def find(self, file: Optional[str], content: str) -> bool:
        """Return True if a file exists; otherwise log that the metric is
        skipped."""
        found = file is not None and Path(file).is_file()
        if not found:
            where = 'given' if file is None else f"at '{file}'"
            warn(f'{self.metric} is skipped: no weights {where} ({content}); '
                  f'{self.advice}.')
        return found

    @abstractmethod
    def build(self, weights: Dict[str, Tensor]) -> nn.Module:
        """Build the network and load the weights.

        Raises:
            RuntimeError: If the weights do not match the network.
        """

    @cached_property
    def network(self) -> nn.Module:
        return load_network(self.weights, self.network_name, self.metric,
                            self.build).to(self.device)

    def prepare(self, module: nn.Module, dataloader: DataLoader) -> None:
        super().prepare(module, dataloader)
        if self.has_weights:
            self.network  # a wrong file is reported before any work

    def view(self, image: Tensor) -> Tensor:
        """Convert (C, H, W) BGR or gray to (1, 3, H, W) RGB on the device."""
        image = image.to(self.device, torch.float32)
        image = image.expand(3, -1, -1) if len(image) == 1 else image.flip(0)
        return image[None]

    def process(self, data_batch: Sequence[dict],
                data_samples: Sequence[dict]) -> None:
        if not self.has_weights:
            # mmengine warns about metrics without results
            self.results.extend({} for _ in data_samples)
            return
        # reproducible results that match those of the CPU
        exact = torch.backends.cudnn.flags(
            enabled=True, benchmark=False, deterministic=True,
            allow_tf32=False)
        with torch.inference_mode(), exact:
            super().process(data_batch, data_samples)
