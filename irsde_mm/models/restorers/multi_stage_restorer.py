"""Regression networks that restore an image in several stages."""
from typing import Dict

import torch.nn.functional as F
from mmagic.models.base_models import BaseEditModel
from mmagic.structures import DataSample
from torch import Tensor

from ...registry import MODELS


@MODELS.register_module()
class MultiStageRestorer(BaseEditModel):
    """Restoration model trained at each stage and scale of its network.

    The clean image is resized to each scale by antialiased bilinear
    interpolation. Testing uses the last stage at full size, as in
    :class:`BaseEditModel`.

    Args:
        generator (dict): Network with ``forward`` and ``pad`` as in
            :class:`irsde_mm.MAXIM`.
        pixel_loss (dict): Any registered pixel loss; summed over stages and
            scales.
        **kwargs: Arguments of :class:`BaseEditModel`.
    """

    def forward_train(self, inputs: Tensor, data_samples: DataSample,
                      **kwargs) -> Dict[str, Tensor]:
        """Return the losses of one batch.

        Args:
            inputs (Tensor): Degraded images (B, C, H, W) in [0, 1].
            data_samples (DataSample): Samples with the clean images,
                ``gt_img``.

        Returns:
            dict: ``loss_stage1``, ``loss_stage2``, and so on.
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
