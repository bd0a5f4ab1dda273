"""Photos to try a model on, degraded by what it was trained to undo."""
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
    """Writes the built-in test photos, degraded as a model's training data.

    Args:
        pipeline (ImagePipeline): The model; one that does not know its
            ``degradation`` has no examples.
        folder (Path): For the files, PNG; it must exist.

    Returns:
        list[Path]: The files, named like the photos.
    """
    from mmengine.registry import DefaultScope

    # without Upsample: photos are enlarged where they are restored
    steps = [step for step in check_degradation(pipeline.degradation)
             if is_component(TRANSFORMS, step['type'], Degradation)]
    if not steps:
        return []
    grey = pipeline.channels == 1
    centre = dict(type='Crop', keys=['gt'], crop_size=(SIDE, SIDE),
                  random_crop=False)
    with DefaultScope.overwrite_default_scope('mmagic'):
        dataset = DATASETS.build(dict(
            type='irsde_mm.BuiltinPhotos', split='test', pipeline=[
                centre, *map(fixed, steps),
                dict(type='PackInputs')]))
    files = []
    for item in dataset:
        degraded = item['inputs'].to(torch.float32)
        picture = Image.fromarray(to_rgb(degraded).copy())
        name = Path(item['data_samples'].gt_path).name
        (picture.convert('L') if grey else picture).save(folder / name)
        files.append(folder / name)
    return files
