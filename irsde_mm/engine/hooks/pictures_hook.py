"""Validation to look at: what the model makes of a few images."""
from typing import Any, Dict, List, Optional, Sequence

import numpy as np
import torch
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from torch import Tensor

from ...registry import HOOKS
from ...visualization import at_most, draw_grid, draw_strip, to_rgb


@HOOKS.register_module()
class PicturesHook(Hook):
    """Draws a grid and ways back at every validation.

    The grid has the first images of the validation set, degraded, restored
    and clean; they are what validation itself restored. A way back is the
    states x_T .. x_0 of one image, cut to its middle and walked with the
    sampler of validation, which costs one small restoration. Both go to the
    config's visualizer as ``validation`` and ``trajectory`` with the
    iteration: by default to ``vis_data/vis_image/`` in the run's folder, one
    file of each a validation, and to TensorBoard or WandB where the config
    names their backends. No random number of training is used up.

    For any model that gives ``output.pred_img``; ways back for those whose
    ``forward_tensor`` takes ``sampler``, ``started`` and ``callback``, as
    ``val_sampler`` tells (:class:`IRSDERestorer`).

    Args:
        images (int): Rows of the grid; 0 for none.
        trajectories (int): How many ways back; 0 for none.
        states (int): States drawn of each, at least 2.
        side (int): Longest side in the grid, in pixels; larger images are
            made smaller.
        crop (int): Longest side of what is walked back, in pixels.

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

    def before_val_epoch(self, runner) -> None:
        self.rows: List[Dict[str, np.ndarray]] = []
        self.strips: List[np.ndarray] = []

    # not after the epoch: the averaged weights are in the model now
    @master_only
    def after_val_iter(self, runner, batch_idx: int, data_batch: Any = None,
                       outputs: Optional[Sequence] = None) -> None:
        model = runner.model.module if is_model_wrapper(runner.model) \
            else runner.model
        for sample in outputs:
            if len(self.rows) < self.images:
                self.rows.append({
                    name: at_most(to_rgb(image), self.side)
                    for name, image in images_of(sample).items()})
            if len(self.strips) < self.trajectories and hasattr(
                    model, 'val_sampler'):
                self.strips.append(self._walk(model, sample))

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

    def _walk(self, model, sample) -> np.ndarray:
        """The states of an image's middle, from x_T to x_0, drawn."""
        cut = sample.new(**{key: middle(sample.get(key), self.crop)
                            for key in ('gt_img', ) if key in sample})
        preprocessor, states = model.data_preprocessor, []
        data = preprocessor(dict(
            inputs=[middle(sample.input, self.crop)], data_samples=[cut]))

        def keep(t: float, x: Tensor) -> None:
            # clone: it may limit the state itself to what can be shown
            image = preprocessor.destruct(x.clone(), data['data_samples'])
            states.append((float(t), to_rgb(image[0])))

        with torch.no_grad():
            model.forward_tensor(
                data['inputs'], data['data_samples'],
                sampler=model.val_sampler, started=keep, callback=keep)
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


def middle(image: Tensor, side: int) -> Tensor:
    """The middle of an image (C, H, W), at most so many pixels a side."""
    top, left = (max(n - side, 0) // 2 for n in image.shape[-2:])
    return image[..., top:top + side, left:left + side]
