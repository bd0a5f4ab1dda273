"""Photos included in scikit-image, which need no download."""
from typing import List, Sequence

import numpy as np
from mmengine.dataset import BaseDataset

from ..registry import DATASETS

SPLITS = dict(
    train=('astronaut', 'hubble_deep_field', 'retina', 'immunohistochemistry',
           'camera', 'brick', 'grass', 'gravel', 'coins',
           'stereo_motorcycle'),
    test=('chelsea', 'coffee', 'rocket'))


@DATASETS.register_module()
class BuiltinPhotos(BaseDataset):
    """Clean photos from ``skimage.data`` with a fixed split.

    The photos are part of the scikit-image wheel. According to their
    docstrings they are public domain, CC0 or without known restrictions,
    except the motorcycle, which is from the Middlebury 2014 stereo benchmark.
    Each photo is decoded once and stored in ``gt`` of its sample (uint8, BGR;
    gray photos have three equal channels).

    Args:
        split (str): 'train' (10 photos) or 'test' (3 others).
        pipeline (Sequence[dict]): Transforms.
        **kwargs: Arguments of mmengine's ``BaseDataset``.

    Raises:
        ValueError: If the split is unknown.
    """

    METAINFO = dict(dataset_type='builtin_photos')

    def __init__(self, split: str = 'train',
                 pipeline: Sequence[dict] = (), **kwargs) -> None:
        if split not in SPLITS:
            raise ValueError(f'unknown split {split!r}; BuiltinPhotos has '
                             f'{" and ".join(SPLITS)}.')
        self.split = split
        # the photos are shared, so serializing them would only copy them
        super().__init__(pipeline=pipeline, serialize_data=False, **kwargs)

    def load_data_list(self) -> List[dict]:
        import skimage
        data_list = []
        for name in SPLITS[self.split]:
            photo = getattr(skimage.data, name)()
            if isinstance(photo, tuple):  # left image of a stereo pair
                photo = photo[0]
            if photo.ndim == 2:
                photo = np.stack((photo, ) * 3, axis=-1)
            data_list.append(dict(
                gt=np.ascontiguousarray(photo[..., ::-1]),
                gt_path=f'{name}.png', gt_channel_order='bgr',
                gt_color_type='color', ori_gt_shape=photo.shape, scale=1))
        return data_list

    def get_data_info(self, idx: int) -> dict:
        info = self.data_list[idx]
        # transforms such as Flip work in place
        return dict(info, gt=info['gt'].copy(), sample_idx=idx)
