"""Models built by mmagic from configs, work directories and baseline files.

This module imports mmengine and mmagic, so it is imported only on demand.
"""
from functools import partial
from pathlib import Path
from typing import Any, List, Optional, Sequence, Tuple

from .. import registry  # noqa: F401, first, so that mmagic can be imported
import numpy as np
import torch
from mmagic.structures import DataSample
from torch import nn

from ..config import complete_model, config_scope, dataloaders, load_config
from ..config.checks import warn_of_unused
from ..errors import ConfigError
from ..inference import ImagePipeline, Progress
from ..inference.arrays import Upscale
from ..inference.memory import PROBE, peak_allocation
from ..inference.network_calls import Tile
from ..inference.image_pipeline import Callback, Choice, Start
from ..model_files.checkpoints import is_weights, load_weights
from ..model_files.device import check_device
from ..model_files.runs import find_run
from ..model_files.settings import upscale_of
from ..models import IRSDERestorer, TiledEditModel
from ..models.networks.spandrel import recognizes
from ..registry import MODELS


def build_model(model: str, checkpoint: Optional[str] = None,
                device: Optional[str] = None, tile: Optional[Tile] = None):
    """Build a model with mmagic, see :func:`init_restorer`."""
    return model_from_config(*find_model(model, checkpoint), device, tile)


def community_model(path: str, device: Optional[str] = None,
                    tile: Optional[Tile] = None) -> Optional[nn.Module]:
    """Build a model of the community from its weights file.

    Returns:
        SpandrelModel, or None if spandrel is not installed or does not
        recognize the file.

    Raises:
        CheckpointError, ConfigError: If spandrel recognizes the architecture,
            but the file cannot be used.
    """
    from mmengine.config import Config
    if not recognizes(path):
        return None
    return model_from_config(Config(dict(model=dict(
        type='irsde_mm.SpandrelModel', weights=path))), None, device, tile)


def find_model(model: str, checkpoint: Optional[str] = None
               ) -> Tuple[Any, Optional[str]]:
    """Find the config and the weights of a model.

    Args:
        model, checkpoint: See :func:`init_restorer`.

    Returns:
        (config, checkpoint): The checkpoint is None for a config without
        weights.

    Raises:
        ConfigError, CheckpointError: If nothing is found.
    """
    if is_weights(model):
        checkpoint = checkpoint or model
    elif Path(model).is_dir():
        config, found = find_run(model)
        return load_config(str(config)), checkpoint or str(found)
    return load_config(model), checkpoint


def model_from_config(cfg, checkpoint: Optional[str] = None,
                      device: Optional[str] = None,
                      tile: Optional[Tile] = None) -> nn.Module:
    """Build a model from a loaded config, see :func:`init_restorer`."""
    device = check_device(device)
    complete_model(cfg, tile)
    warn_of_unused(cfg.model)
    with config_scope(cfg):
        model = MODELS.build(cfg.model)
    if checkpoint is not None and not has_weights(model):
        load_weights(model, checkpoint)
    model.cfg = cfg
    # a photo to restore has no ground truth
    model.data_preprocessor.data_keys = None
    upscale = upscale_of(next(iter(
        dataloaders(cfg, 'test') or dataloaders(cfg, 'val')), None))
    if has_weights(model) and upscale is None and model.scale > 1:
        upscale = dict(scale=model.scale)
    upsampling = Upscale(**upscale) if upscale else None
    model.restores = EditModelPipeline(model, upsampling) \
        if not isinstance(model, IRSDERestorer) else model.pipeline
    if isinstance(model, IRSDERestorer):
        model.pipeline.upscaling = upsampling
    model.restores.degradation = cfg.get('degradation') or []
    return model.to(device).eval()


def has_weights(model: nn.Module) -> bool:
    """Return True if a model loads its weights when it is built."""
    return getattr(model, 'has_weights', False)


def pipeline_of_model(model: nn.Module) -> ImagePipeline:
    """Return the pipeline of a model built by mmagic."""
    if isinstance(model, IRSDERestorer):
        return model.pipeline
    return getattr(model, 'restores', None) or EditModelPipeline(model)


class EditModelPipeline(ImagePipeline):
    """Pipeline around a model of mmagic.

    It makes a single network call, has no sampler, and returns the same
    result for every seed.

    Args:
        model (nn.Module): A model with ``forward_tensor``.
        upscale (Upscale, optional): Upscales photos to the size of the
            result.
    """

    def __init__(self, model: nn.Module,
                 upscale: Optional[Upscale] = None) -> None:
        self.model = model
        self.upscaling = upscale

    @property
    def name(self) -> str:
        return type(self.model).__name__

    @property
    def channels(self) -> int:
        # not all of mmagic's networks have this attribute
        return getattr(self.model.generator, 'in_channels', 3)

    @property
    def upscale(self) -> int:
        return self.upscaling.scale if self.upscaling else 1

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    @property
    def batches(self) -> bool:
        return isinstance(self.model, TiledEditModel)

    def padded_size(self, height: int, width: int) -> Tuple[int, int]:
        return self.model.padded_size(height, width) if self.batches else (
            height, width)

    def call_bytes(self, height: int, width: int) -> int:
        if isinstance(self.model, TiledEditModel):
            return self.model.call_bytes(height, width)
        small = np.zeros((PROBE, PROBE, self.channels), np.uint8)
        peak = peak_allocation(partial(self.restore_batch, [small]),
                               self.device)
        return peak * height * width // PROBE**2

    def restore_batch(self, images: Sequence[np.ndarray],
                      names: Optional[Sequence[str]] = None, *,
                      sampler: Choice = None, steps: Optional[int] = None,
                      seed: Optional[int] = None, draw: int = 0,
                      start: Optional[Start] = None,
                      tile: Optional[Tile] = None,
                      crispness: Optional[float] = None,
                      data_consistency: Any = None,
                      callback: Optional[Callback] = None
                      ) -> List[np.ndarray]:
        self.choose_sampler(sampler, steps)
        self.choose_dial(crispness)
        if tile is not None or start is not None:
            raise ConfigError(f'{self.name} does not support start, and '
                              'supports tile only when it is loaded: '
                              'init_restorer(..., tile=).')
        self.choose_consistency(data_consistency)
        self.check_batch(images)
        pre = self.model.data_preprocessor
        tensors = [torch.from_numpy(np.ascontiguousarray(image)).permute(
            2, 0, 1).to(self.device) for image in images]
        if self.upscaling:
            tensors = [self.upscaling(image.float()[None])[0]
                       for image in tensors]
        data = pre(dict(inputs=[image.contiguous() for image in tensors],
                        data_samples=[
            DataSample(metainfo=dict(img_path=name))
            for name in names or [''] * len(images)]))
        with torch.no_grad():
            restored = self.model.forward_tensor(
                data['inputs'], data['data_samples'])
        if isinstance(restored, tuple):
            # mmagic's inpainting models return the raw prediction first and
            # then the image with only its holes filled
            restored = restored[-1]
        images = [pre.destruct(image, sample).round_().byte().cpu().numpy(
        ).transpose(1, 2, 0).copy() for image, sample in zip(
            restored, data['data_samples'].split())]
        if callback is not None:
            callback(Progress(1, 1, 0., range(len(images)), lambda: images))
        return images
