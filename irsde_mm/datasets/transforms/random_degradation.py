"""A random choice of degradations."""
from typing import Optional, Sequence

import numpy as np

from ...registry import TRANSFORMS
from .degradation import Degradation


@TRANSFORMS.register_module()
class RandomDegradation(Degradation):
    """One of several chains of degradations, drawn for each image.

    Unlike mmcv's ``RandomChoice``, it can be ``fixed`` for tests, and the page
    makes its examples with it.

    Example:
        >>> RandomDegradation(choices=[
        ...     [],  # 10 % stay clean
        ...     [dict(type='irsde_mm.Haze'), dict(type='irsde_mm.JPEG')],
        ... ], prob=[0.1, 0.9])

    Args:
        choices (Sequence[Sequence[dict]]): Chains of configs of degradations,
            applied in order. An empty chain leaves the image as it is.
        prob (Sequence[float], optional): Probability of each chain. Default:
            equal ones.
        fixed, seed: See :class:`Degradation`; those of the chains are not
            used.

    Raises:
        ValueError: If there are no chains, if a step is not a degradation, or
            if the probabilities are not one per chain with the sum 1.
    """

    def __init__(self, choices: Sequence[Sequence[dict]],
                 prob: Optional[Sequence[float]] = None, fixed: bool = False,
                 seed: int = 0) -> None:
        super().__init__(fixed, seed)
        if not choices:
            raise ValueError('RandomDegradation: choices is empty.')
        self.choices = [[TRANSFORMS.build(step) for step in chain]
                        for chain in choices]
        for step in (step for chain in self.choices for step in chain):
            if not isinstance(step, Degradation):
                raise ValueError(f'RandomDegradation: {type(step).__name__} '
                                 'is not a degradation.')
        if prob is not None and (
                len(prob) != len(choices) or min(prob) < 0
                or not np.isclose(sum(prob), 1)):
            raise ValueError(
                'RandomDegradation: prob must have a probability for each of '
                f'the {len(choices)} choices, with the sum 1, but got {prob}.')
        # exactly 1, as NumPy requires
        self.prob = None if prob is None else np.divide(prob, sum(prob))

    def degrade(self, image: np.ndarray, rng: np.random.Generator,
                results: dict) -> np.ndarray:
        chain = self.choices[rng.choice(len(self.choices), p=self.prob)]
        image = image.copy()
        for step in chain:
            image = step.degrade(image, rng, results).astype(
                np.float32, copy=False)
        return image
