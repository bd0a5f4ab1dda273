"""Example photos with the degradation that a model was trained to remove."""
from pathlib import Path
from typing import List

import torch
from PIL import Image

from ..config.own_data import fixed
from ..config.trusted import check_degradation, is_component
from ..datasets.transforms import Degradation
from ..inference import ImagePipeline
from ..io.grids import to_rgb
from ..registry import DATASETS, TRANSFORMS

SIDE = 320


def write_examples(pipeline: ImagePipeline, folder: Path) -> List[Path]:
    """Write the built-in test photos, degraded like a model's training data.

    Args:
        pipeline (ImagePipeline): The model. Without a ``degradation``, no
            examples are written.
        folder (Path): Existing folder for the files.

    Returns:
        list[Path]: PNG files with the names of the photos.
    """
    from mmengine.registry import DefaultScope

    # leaves out Upsample: the pipeline enlarges photos itself
    steps = [step for step in check_degradation(pipeline.degradation)
             if is_component(TRANSFORMS, step['type'], Degradation)]
    if not steps:
        return []
    gray = pipeline.channels == 1
    center = dict(type='Crop', keys=['gt'], crop_size=(SIDE, SIDE),
                  random_crop=False)
    with DefaultScope.overwrite_default_scope('mmagic'):
        dataset = DATASETS.build(dict(
            type='irsde_mm.BuiltinPhotos', split='test', pipeline=[
                center, *map(fixed, steps),
                dict(type='PackInputs')]))
    files = []
    for item in dataset:
        degraded = item['inputs'].to(torch.float32)
        picture = Image.fromarray(to_rgb(degraded).copy())
        name = Path(item['data_samples'].gt_path).name
        (picture.convert('L') if gray else picture).save(folder / name)
        files.append(folder / name)
    return files
