"""Gaussian noise as used in denoising benchmarks."""
from typing import Sequence, Union

import numpy as np

from ...registry import TRANSFORMS
from .degradation import Degradation


@TRANSFORMS.register_module()
class GaussianNoise(Degradation):
    """White Gaussian noise.

    The result is float and neither clipped nor rounded, as in the published
    protocol. The noise level is stored in ``results['sigma']``;
    ``PackInputs(meta_keys=['sigma'])`` passes it to the restorer.

    Args:
        sigma: Standard deviation in [0, 1] (``25 / 255``), or a range
            (from, to) to draw it from uniformly.
        fixed, seed: See :class:`Degradation`.

    Raises:
        ValueError: If a level is outside [0, 1].
    """

    def __init__(self, sigma: Union[float, Sequence[float]],
                 fixed: bool = False, seed: int = 0) -> None:
        super().__init__(fixed, seed)
        low, high = sigma if isinstance(sigma, Sequence) else (sigma, sigma)
        if not 0 <= low <= high <= 1:
            raise ValueError('GaussianNoise: sigma must be in [0, 1], such as '
                             f'25 / 255, but got {sigma}.')
        self.sigma = (low, high)

    def degrade(self, image: np.ndarray, rng: np.random.Generator,
                results: dict) -> np.ndarray:
        results['sigma'] = rng.uniform(*self.sigma)
        noise = rng.standard_normal(image.shape, dtype=np.float32)
        return image + np.float32(255 * results['sigma']) * noise
