"""Hook that draws images and trajectories during validation."""
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
import torch
from mmengine.dist import master_only
from mmengine.hooks import Hook
from torch import Tensor

from ...io.grids import at_most, draw_grid, draw_strip, to_rgb
from ...registry import HOOKS
from ..capabilities import WithStates
from ..unwrapping import unwrapped


@HOOKS.register_module()
class PicturesHook(Hook):
    """Hook that draws a grid and trajectories at every validation.

    The grid shows the first images of the validation set: degraded, restored
    by that validation, and clean. A trajectory shows states x_T .. x_0 of the
    center crop of one image, restored with the validation sampler, which costs
    one small restoration. Both go to the config's visualizer as
    ``validation`` and ``trajectory`` with the iteration. By default each is
    saved as one file per validation in ``vis_data/vis_image/`` of the run's
    folder, and also sent to TensorBoard or WandB if the config has their
    backends. The hook does not change the random state of training.

    Any model that outputs ``output.pred_img`` is supported; trajectories need
    a model :class:`WithStates`, such as :class:`IRSDERestorer`.

    Args:
        images (int): Number of rows in the grid; 0 for no grid.
        trajectories (int): Number of trajectories; 0 for none.
        states (int): Number of states drawn per trajectory, at least 2.
        side (int): Maximum side length in the grid, in pixels. Larger images
            are downscaled.
        crop (int): Maximum side length of the trajectory's crop, in pixels.

    Raises:
        ValueError: If an argument is out of range.
    """

    priority = 'LOW'

    def __init__(self, images: int = 4, trajectories: int = 1,
                 states: int = 6, side: int = 256, crop: int = 128) -> None:
        if min(images + 1, trajectories + 1, states - 1, side, crop) < 1:
            raise ValueError(
                'PicturesHook needs images and trajectories >= 0, states >= 2 '
                f'and side and crop >= 1, but got {images}, {trajectories}, '
                f'{states}, {side} and {crop}.')
        self.images, self.trajectories = images, trajectories
        self.states, self.side, self.crop = states, side, crop
        self.rows: List[Dict[str, np.ndarray]] = []
        self.strips: List[np.ndarray] = []

    def before_val_epoch(self, runner) -> None:
        self.rows.clear()
        self.strips.clear()

    # here, not after the epoch, the model still has its averaged weights
    @master_only
    def after_val_iter(self, runner, batch_idx: int, data_batch: Any = None,
                       outputs: Optional[Sequence] = None) -> None:
        model = unwrapped(runner.model)
        for sample in outputs:
            if len(self.rows) < self.images:
                self.rows.append({
                    name: at_most(to_rgb(image), self.side)
                    for name, image in images_of(sample).items()})
            if len(self.strips) < self.trajectories and isinstance(
                    model, WithStates):
                self.strips.append(self._trajectory(model, sample))

    @master_only
    def after_val_epoch(self, runner,
                        metrics: Optional[Dict[str, float]] = None) -> None:
        names = list(self.rows[0]) if self.rows else []
        if 'restored' in names:
            show(runner, 'validation', draw_grid(
                [list(row.values()) for row in self.rows], names))
        if self.strips:
            show(runner, 'trajectory', draw_grid(
                [[strip] for strip in self.strips]))

    def _trajectory(self, model, sample) -> np.ndarray:
        """Draw the states of an image's center crop, from x_T to x_0."""
        cropped = sample.new(**{
            key: center_crop(sample.get(key), self.crop)
            for key in ('gt_img', ) if key in sample})
        states: List[Tuple[float, np.ndarray]] = []
        data = model.data_preprocessor(dict(
            inputs=[center_crop(sample.input, self.crop)],
            data_samples=[cropped]))

        def collect(progress) -> None:
            image, = progress.states()
            image = image.repeat(3 // image.shape[2], axis=2)
            states.append((progress.t, image[..., ::-1]))

        with torch.no_grad():
            model.forward_tensor(
                data['inputs'], data['data_samples'],
                sampler=model.val_sampler, callback=collect)
        return draw_strip(states, self.states)


def show(runner, name: str, image: np.ndarray) -> None:
    """Send an image to the visualizer.

    If it cannot be written, the error is logged and training continues.
    """
    try:
        runner.visualizer.add_image(name, image, runner.iter)
    except OSError as error:
        runner.logger.error(f"image '{name}' was not written: {error}")


def images_of(sample) -> Dict[str, Tensor]:
    """Return the degraded, restored and clean image of a validation sample.

    Images (C, H, W) are BGR or gray in 0..255. Of a video, the first frame is
    returned.
    """
    output = sample.get('output', {})
    found = dict(degraded=sample.get('input'), restored=output.get('pred_img'),
                 clean=sample.get('gt_img'))
    return {name: image if image.ndim == 3 else image[0]
            for name, image in found.items()
            if image is not None and image.shape[-3] in (1, 3)}


def center_crop(image: Tensor, side: int) -> Tensor:
    """Crop an image (C, H, W) to at most ``side`` pixels per side."""
    top, left = (max(n - side, 0) // 2 for n in image.shape[-2:])
    return image[..., top:top + side, left:left + side]
