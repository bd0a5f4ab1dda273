"""Progress of a restoration, for callbacks."""
from dataclasses import dataclass, field
from typing import Callable, List

import numpy as np


@dataclass
class Progress:
    """How far a restoration has come; what every callback gets.

    Attributes:
        step, steps (int): Steps of the present batch, over all of its draws.
        t (float): Time of the states.
        photos (range): Places in the batch of the photos being restored.
        states: Called without arguments, gives their states, (H, W, C) uint8
            BGR; only during the callback. No images are made before.
        names (list[str]): Their names.
        done, total (int): Photos restored, and photos of the whole call.
    """

    step: int
    steps: int
    t: float
    photos: range
    states: Callable[[], List[np.ndarray]]
    names: List[str] = field(default_factory=list)
    done: int = 0
    total: int = 1
