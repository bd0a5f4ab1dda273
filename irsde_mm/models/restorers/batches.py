"""Names, sizes and noise levels of images from data samples."""
from typing import List, Optional, Tuple

from mmagic.structures import DataSample
from torch import Tensor


def _meta(data_samples: Optional[DataSample]) -> dict:
    return {} if data_samples is None else data_samples.metainfo


def image_names(inputs: Tensor,
                data_samples: Optional[DataSample]) -> List[str]:
    """Return the path of each image of a batch (B, C, H, W), '' by default."""
    meta = _meta(data_samples)
    return list(meta.get('img_path', meta.get('gt_path',
                                              [''] * len(inputs))))


def sample_noise_levels(data_samples: Optional[DataSample]
                        ) -> Optional[List[float]]:
    """Return the noise levels stored in the samples, in [0, 1], or None."""
    sigmas = _meta(data_samples).get('sigma')
    return None if sigmas is None else [float(sigma) for sigma in sigmas]


def image_sizes(inputs: Tensor, data_samples: Optional[DataSample]
                ) -> List[Tuple[int, int]]:
    """Return the height and width of each image in a batch padded to the
    largest image.

    Padding common to all images counts as part of the image, as in mmagic.
    """
    h, w = inputs.shape[-2:]
    margins = [tuple(int(side) for side in padding[-2:])
               for padding in _meta(data_samples).get('padding_size', [])]
    if len(set(margins)) < 2:
        return [(h, w)] * len(inputs)
    return [(h - bottom, w - right) for bottom, right in margins]
