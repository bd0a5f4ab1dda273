"""Noise: Gaussian as in denoising benchmarks, and Poisson."""
from typing import Sequence, Tuple, Union

import numpy as np

from ...registry import TRANSFORMS
from .degradation import Degradation, check_ranges


@TRANSFORMS.register_module()
class GaussianNoise(Degradation):
    """White Gaussian noise.

    By default, the result is float and neither clipped nor rounded, as in the
    published protocol. The noise level is stored in ``results['sigma']``;
    ``PackInputs(meta_keys=['sigma'])`` passes it to the restorer. It is the
    level before clipping, and combines all noises of the sample.

    Args:
        sigma: Standard deviation in [0, 1] (``25 / 255``), or a range
            (from, to) to draw it from uniformly.
        clip (bool): Clip the result to 0..255, as cameras do.
        fixed, seed: See :class:`Degradation`.

    Raises:
        ValueError: If a level is outside [0, 1].
    """

    def __init__(self, sigma: Union[float, Sequence[float]],
                 clip: bool = False, fixed: bool = False,
                 seed: int = 0) -> None:
        super().__init__(fixed, seed)
        low, high = sigma if isinstance(sigma, Sequence) else (sigma, sigma)
        if not 0 <= low <= high <= 1:
            raise ValueError('GaussianNoise: sigma must be in [0, 1], such as '
                             f'25 / 255, but got {sigma}.')
        self.sigma = (low, high)
        self.clip = clip

    def degrade(self, image: np.ndarray, rng: np.random.Generator,
                results: dict) -> np.ndarray:
        sigma = rng.uniform(*self.sigma)
        add_level(results, sigma)
        noise = rng.standard_normal(image.shape, dtype=np.float32)
        noisy = image + np.float32(255 * sigma) * noise
        return noisy.clip(0, 255) if self.clip else noisy


@TRANSFORMS.register_module()
class PoissonNoise(Degradation):
    """Photon noise: a pixel x becomes 255 N / P, N ~ Poisson(P x / 255).

    The variance is 255 x / P, so bright areas are noisier, but relatively
    less. The root mean square of the standard deviation is stored in
    ``results['sigma']``, see :class:`GaussianNoise`.

    Args:
        photons (tuple[float, float]): Range of P, the photons of a white
            pixel, 1 to 1e6. P is drawn log-uniformly. White has the standard
            deviation 50 with 26 photons, 5 with 2600.
        clip (bool): Clip the result to 0..255, as cameras do.
        fixed, seed: See :class:`Degradation`.

    Raises:
        ValueError: If the range is empty or exceeds its limits.
    """

    def __init__(self, photons: Tuple[float, float] = (26, 2600),
                 clip: bool = False, fixed: bool = False,
                 seed: int = 0) -> None:
        super().__init__(fixed, seed)
        check_ranges('PoissonNoise', locals(), dict(photons=(1, 1e6)))
        self.photons = photons
        self.clip = clip

    def degrade(self, image: np.ndarray, rng: np.random.Generator,
                results: dict) -> np.ndarray:
        photons = np.exp(rng.uniform(*np.log(self.photons)))
        light = np.maximum(image, 0) / 255  # earlier noise can be negative
        add_level(results, float(np.sqrt(light.mean() / photons)))
        noisy = 255 / photons * rng.poisson(photons * light)
        return noisy.clip(0, 255) if self.clip else noisy


def add_level(results: dict, sigma: float) -> None:
    """Add independent noise to the noise level of a sample."""
    results['sigma'] = float(np.hypot(results.get('sigma', 0), sigma))
