"""Pictures of validation: a few images as the model restores them."""
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
    """Draws a grid and trajectories at every validation.

    The grid has the first images of the validation set, degraded, restored
    and clean; they are what validation itself restored. A trajectory is the
    states x_T .. x_0 of the centre crop of one image, restored with the
    sampler of validation, which costs one small restoration. Both go to the
    config's visualizer as ``validation`` and ``trajectory`` with the
    iteration: by default to ``vis_data/vis_image/`` in the run's folder, one
    file of each a validation, and to TensorBoard or WandB where the config
    names their backends. No random number of training is used up.

    For any model that gives ``output.pred_img``; trajectories for models
    :class:`WithStates`, such as :class:`IRSDERestorer`.

    Args:
        images (int): Rows of the grid; 0 for none.
        trajectories (int): How many trajectories; 0 for none.
        states (int): States drawn of each, at least 2.
        side (int): Longest side in the grid, in pixels; larger images are
            made smaller.
        crop (int): Longest side of the crop of a trajectory, in pixels.

    Raises:
        ValueError: If an argument is out of its range.
    """

    priority = 'LOW'

    def __init__(self, images: int = 4, trajectories: int = 1,
                 states: int = 6, side: int = 256, crop: int = 128) -> None:
        if min(images + 1, trajectories + 1, states - 1, side, crop) < 1:
            raise ValueError(
                'PicturesHook needs images and trajectories >= 0, states >= 2 '
                f'and side and crop >= 1, not {images}, {trajectories}, '
                f'{states}, {side} and {crop}.')
        self.images, self.trajectories = images, trajectories
        self.states, self.side, self.crop = states, side, crop
        self.rows: List[Dict[str, np.ndarray]] = []
        self.strips: List[np.ndarray] = []

    def before_val_epoch(self, runner) -> None:
        self.rows.clear()
        self.strips.clear()

    # not after the epoch: the averaged weights are in the model now
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
        """The states of an image's centre, from x_T to x_0, drawn."""
        cut = sample.new(**{key: centre(sample.get(key), self.crop)
                            for key in ('gt_img', ) if key in sample})
        states: List[Tuple[float, np.ndarray]] = []
        data = model.data_preprocessor(dict(
            inputs=[centre(sample.input, self.crop)], data_samples=[cut]))

        def keep(progress) -> None:
            image, = progress.states()
            image = image.repeat(3 // image.shape[2], axis=2)
            states.append((progress.t, image[..., ::-1]))

        with torch.no_grad():
            model.forward_tensor(
                data['inputs'], data['data_samples'],
                sampler=model.val_sampler, callback=keep)
        return draw_strip(states, self.states)


def show(runner, name: str, picture: np.ndarray) -> None:
    """Hands a picture to the visualizer. One that cannot be written is no
    reason to end a training."""
    try:
        runner.visualizer.add_image(name, picture, runner.iter)
    except OSError as error:
        runner.logger.error(f"the picture '{name}' was not written: {error}")


def images_of(sample) -> Dict[str, Tensor]:
    """The images (C, H, W) that a sample of a validation has, BGR or grey in
    0..255, by what they are; of a video's frames the first."""
    output = sample.get('output', {})
    found = dict(degraded=sample.get('input'), restored=output.get('pred_img'),
                 clean=sample.get('gt_img'))
    return {name: image if image.ndim == 3 else image[0]
            for name, image in found.items()
            if image is not None and image.shape[-3] in (1, 3)}


def centre(image: Tensor, side: int) -> Tensor:
    """The centre of an image (C, H, W), at most so many pixels a side."""
    top, left = (max(n - side, 0) // 2 for n in image.shape[-2:])
    return image[..., top:top + side, left:left + side]
