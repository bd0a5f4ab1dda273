"""Photos for calibration: clean ones with their degraded versions."""
from pathlib import Path
from typing import Dict, Optional, Sequence, Tuple

import numpy as np
from irsde_mm.errors import ConfigError, DataError


class CalibrationPhotos:
    """Clean photos with their degraded versions, and the model's results.

    Args:
        pipeline (RestorationPipeline): The model.
        folders (Sequence[str]): Folders of clean photos, which are degraded
            as in the model's training, or of pairs in ``input/`` and
            ``target/``. Of a folder with ``train/``, only ``val/`` or
            ``test/`` is used.
        pairs (Sequence[str], optional): Name templates, see
            :func:`use_folder`.
        sampler (Sampler, optional): Sampler of the results.
        changes (dict): Arguments of the degradations to change.

    Raises:
        ConfigError, DataError: If the photos cannot be used.
    """

    def __init__(self, pipeline, folders: Sequence[str],
                 pairs: Optional[Sequence[str]] = None, sampler=None,
                 changes: Optional[dict] = None) -> None:
        self.pipeline, self.sampler = pipeline, sampler
        self.places: Dict[str, Tuple[object, int]] = {}
        for folder in folders:
            dataset = build_dataset(pipeline, folder, pairs, changes or {})
            for i in range(len(dataset)):
                info = dataset.get_data_info(i)
                name = info.get('img_path', info['gt_path'])
                if name in self.places:
                    raise DataError(f"'{name}' is in --data twice.")
                self.places[name] = dataset, i

    def measure(self, name: str):
        """Restore a photo by its path.

        The degraded photo is rounded to 8 bits, like a file to restore.
        """
        from irsde_mm.inference.calibrating import Measured
        dataset, i = self.places[name]
        sample = dataset[i]
        degraded = np.rint(np.clip(sample['img'], 0, 255)).astype(np.uint8)
        restored, = self.pipeline.restore_batch([degraded], [name],
                                                sampler=self.sampler)
        return Measured(sample['gt'], restored,
                        self.pipeline.enlarged(degraded))


def build_dataset(pipeline, folder: str, pairs: Optional[Sequence[str]],
                  changes: dict):
    """Build the dataset of a folder, see :class:`CalibrationPhotos`."""
    from irsde_mm.config.own_data import pair_names
    from irsde_mm.registry import DATASETS
    from mmengine.registry import DefaultScope
    root = test_part(Path(folder))
    names = pair_names(root, pairs)
    color = 'color' if pipeline.channels == 3 else 'grayscale'
    load = [dict(type='irsde_mm.LoadImage', key=key, color_type=color)
            for key in (('img', 'gt') if names else ('gt', ))]
    steps = [] if names else degradations(pipeline, folder, changes)
    with DefaultScope.overwrite_default_scope('mmagic'):
        return DATASETS.build(dict(
            type='irsde_mm.PairedImageDataset' if names
            else 'irsde_mm.CleanImageDataset', data_root=str(root),
            pipeline=[*load, *steps],
            **(dict(names, scale=pipeline.upscale) if names else {})))


def test_part(folder: Path) -> Path:
    """Return the part of a folder that is not for training."""
    if not (folder / 'train').is_dir():
        return folder
    for name in ('val', 'test'):
        if (folder / name).is_dir():
            return folder / name
    raise DataError(f"'{folder}' has train/ but neither val/ nor test/: "
                    'calibrate on photos that training has not seen.')


def degradations(pipeline, folder: str, changes: dict) -> list:
    """Return the degradations of a model, fixed by the photo's name.

    Raises:
        ConfigError: If the model's file has none.
    """
    from irsde_mm.config.own_data import fixed
    from irsde_mm.config.trusted import check_degradation, is_component
    from irsde_mm.datasets.transforms import Degradation
    from irsde_mm.registry import TRANSFORMS
    # leaves out Upsample: the pipeline enlarges photos itself
    steps = [fixed(dict(step, **changes)) for step in check_degradation(
        pipeline.degradation)
        if is_component(TRANSFORMS, step['type'], Degradation)]
    if not steps:
        raise ConfigError(
            f"'{folder}' has clean photos only, and the model does not store "
            'how to degrade them: use pairs in input/ and target/.')
    return steps
