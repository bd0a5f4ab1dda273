"""Progress reports for callbacks."""
from dataclasses import dataclass, field
from typing import Callable, List

import numpy as np


@dataclass
class Progress:
    """Progress of a restoration, passed to every callback.

    Attributes:
        step, steps (int): Current step and number of steps of the current
            batch, over all of its draws.
        t (float): Time of the states.
        photos (range): Indices in the batch of the images being restored.
        states: Function without arguments that returns their states as
            (H, W, C) uint8 BGR. Call it only during the callback; images are
            created on demand.
        names (list[str]): Their names.
        done, total (int): Number of images restored so far, and number of
            images of the whole call.
    """

    step: int
    steps: int
    t: float
    photos: range
    states: Callable[[], List[np.ndarray]]
    names: List[str] = field(default_factory=list)
    done: int = 0
    total: int = 1
