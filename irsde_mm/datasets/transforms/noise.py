"""Gaussian noise as in the denoising benchmarks."""
from typing import Sequence, Union

import numpy as np

from ...registry import TRANSFORMS
from .degradation import Degradation


@TRANSFORMS.register_module()
class GaussianNoise(Degradation):
    """Adds white Gaussian noise; the result is float, neither clipped nor
    rounded, as the published protocol has it.

    The level goes into ``results['sigma']``, from where ``PackInputs(
    meta_keys=['sigma'])`` hands it to the restorer.

    Args:
        sigma: Standard deviation in [0, 1] (``25 / 255``), or (from, to) to
            draw it uniformly.
        fixed, seed: See :class:`Degradation`.

    Raises:
        ValueError: If a level lies outside [0, 1].
    """

    def __init__(self, sigma: Union[float, Sequence[float]],
                 fixed: bool = False, seed: int = 0) -> None:
        super().__init__(fixed, seed)
        low, high = sigma if isinstance(sigma, Sequence) else (sigma, sigma)
        if not 0 <= low <= high <= 1:
            raise ValueError('GaussianNoise: sigma must lie in [0, 1], such '
                             f'as 25 / 255, but is {sigma}.')
        self.sigma = (low, high)

    def degrade(self, image: np.ndarray, rng: np.random.Generator,
                results: dict) -> np.ndarray:
        results['sigma'] = rng.uniform(*self.sigma)
        noise = rng.standard_normal(image.shape, dtype=np.float32)
        return image + np.float32(255 * results['sigma']) * noise
