"""Regression networks that restore an image in several stages."""
from typing import Dict

import torch.nn.functional as F
from mmagic.models.base_models import BaseEditModel
from mmagic.structures import DataSample
from torch import Tensor

from ...registry import MODELS


@MODELS.register_module()
class MultiStageRestorer(BaseEditModel):
    """Trains each stage of a network, and each scale of it, to restore.

    The clean image is brought to the size of a scale by bilinear
    interpolation that averages over what is left out. Tests take the last
    stage at full size, as :class:`BaseEditModel` does.

    Args:
        generator (dict): Network with the ``forward`` and ``pad`` of
            :class:`irsde_mm.MAXIM`.
        pixel_loss (dict): Any registered pixel loss; summed over the stages
            and scales.
        **kwargs: :class:`BaseEditModel`'s.
    """

    def forward_train(self, inputs: Tensor, data_samples: DataSample,
                      **kwargs) -> Dict[str, Tensor]:
        """The losses of one batch.

        Args:
            inputs (Tensor): Degraded images (B, C, H, W) in [0, 1].
            data_samples (DataSample): With ``gt_img``, the clean images.

        Returns:
            dict: ``loss_stage1`` and so on.
        """
        stages = self.generator(inputs, all_stages=True)
        clean = self.generator.pad(data_samples.gt_img)
        targets = [
            clean if scale.shape == clean.shape else F.interpolate(
                clean, size=scale.shape[-2:], mode='bilinear',
                align_corners=False, antialias=True) for scale in stages[0]]
        return {
            f'loss_stage{s}': sum(map(self.pixel_loss, stage, targets))
            for s, stage in enumerate(stages, start=1)}
