"""What a restoration gives, and what it tells while it goes on."""
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np
from tqdm.auto import tqdm

from ..errors import IRSDEError
from ..visualization import spread_out

#: States that a trajectory keeps.
STATES = 8


@dataclass
class Restoration:
    """What became of a photo.

    Attributes:
        name (str): Its path, or 'image_N' for the Nth image without one.
        image (ndarray, optional): (H, W, C) uint8 BGR, the first draw.
        samples (list[ndarray]): All draws.
        spread (ndarray, optional): (H, W) float32, how far several draws lie
            apart, see :func:`spread`.
        states (list): Pairs (t, image) from x_T to x_0, if asked for.
        error (IRSDEError, optional): Why there is no image.
        path (Path, optional): Where ``image`` was written.
        files (list[Path]): All that was written.
    """
    name: str
    image: Optional[np.ndarray] = None
    samples: List[np.ndarray] = field(default_factory=list)
    spread: Optional[np.ndarray] = None
    states: List[Tuple[float, np.ndarray]] = field(default_factory=list)
    error: Optional[IRSDEError] = None
    path: Optional[Path] = None
    files: List[Path] = field(default_factory=list)


@dataclass
class Progress:
    """How far a restoration has come.

    Attributes:
        done, total (int): Images.
        step, steps (int): Of the present batch, over all of its draws.
        names (list[str]): The images that are being walked.
        states: Called without arguments, gives their states, (H, W, C) uint8
            BGR; only while ``progress`` runs. No images are made before.
    """
    done: int
    total: int
    step: int
    steps: int
    names: List[str]
    states: Callable[[], List[np.ndarray]]


def spread(samples: Sequence[np.ndarray]) -> np.ndarray:
    """Pixel-wise standard deviation over draws: where the model guesses.

    Args:
        samples: At least two images (H, W, C) uint8.

    Returns:
        ndarray: (H, W) float32 in units of 0..255: the root of the channels'
        mean variance, estimated without bias (N - 1).
    """
    mean = sum(image.astype(np.float32) for image in samples) / len(samples)
    variance = sum((image - mean)**2 for image in samples)
    return np.sqrt(variance.mean(axis=2) / (len(samples) - 1))


class Walk:
    """Follows a batch on its way: keeps states and tells of progress.

    Args:
        names (list[str]): The photos of the batch.
        steps (int): What the sampler takes at most for one draw.
        samples (int): Draws.
        trajectory (bool): Whether to keep states of the first draw.
        tell: Called as ``tell(step, steps, names, states)`` after every step.

    Attributes:
        draw (int): Which draw is being made.
        draws (list): The images of each that is made.
    """

    def __init__(self, names: List[str], steps: int, samples: int,
                 trajectory: bool, tell: Callable) -> None:
        self.names = names
        self.steps = steps
        self.samples = samples
        self.trajectory = trajectory
        self.tell = tell
        self.states: Dict[int, list] = {i: [] for i in range(len(names))}
        self.chosen: set = set()
        self.draw = 0
        self.draws: List[List[np.ndarray]] = []

    def __call__(self, photos: range, step: int, t: float,
                 images: Callable[[], List[np.ndarray]]) -> None:
        """As :func:`restore_batch`'s ``watch``."""
        if self.trajectory and self.draw == 0:
            if step == 0:  # one that starts later has fewer steps
                self.chosen = set(spread_out(
                    range(int(min(self.steps, t)) + 1), STATES))
            if step in self.chosen:
                for i, image in zip(photos, images()):
                    self.states[i].append((t, image))
        # photos that are walked one by one share the steps of their batch
        share = (photos.start * self.steps + step * len(photos)) / len(
            self.names)
        self.tell(int(self.draw * self.steps + share),
                  self.samples * self.steps,
                  [self.names[i] for i in photos], images)

    def restored(self) -> List[Restoration]:
        """The results, from :attr:`draws`."""
        found = []
        for i, name in enumerate(self.names):
            samples = [images[i] for images in self.draws]
            states = self.states[i]
            if states:  # as it is given out, where a solver takes fewer steps
                states[-1] = (0., samples[0])
            found.append(Restoration(
                name, samples[0], samples,
                spread(samples) if len(samples) > 1 else None, states))
        return found


class Report:
    """Tells how far a call has come, by a bar and by a callback.

    Args:
        total (int): Images.
        steps (int): Of an image, over all of its draws.
        progress (callable, optional): Given a :class:`Progress`.
        show (bool): Whether to draw the bar.
    """

    def __init__(self, total: int, steps: int,
                 progress: Optional[Callable[[Progress], Any]],
                 show: bool) -> None:
        self.total, self.steps, self.progress = total, steps, progress
        self.bar = tqdm(total=total * steps, unit='step', disable=not show)
        self.done = 0

    def __enter__(self) -> 'Report':
        return self

    def __exit__(self, *_) -> None:
        self.bar.close()

    def begin(self, names: List[str]) -> None:
        """Before a batch."""
        self.batch = len(names)
        self.bar.set_description(
            f'{names[0]}, {self.done + 1} of {self.total}')

    def tell(self, step: int, steps: int, names: List[str],
             states: Callable[[], List[np.ndarray]]) -> None:
        """After a step, see :class:`Walk`."""
        self.bar.update(self.done * self.steps + step * self.batch
                        - self.bar.n)
        if self.progress is not None:
            self.progress(Progress(self.done, self.total, step, steps, names,
                                   states))

    def end(self, results: List[Restoration]) -> None:
        """After a batch, even if its images took fewer steps."""
        self.done += self.batch
        self.bar.update(self.done * self.steps - self.bar.n)
        if self.progress is not None:
            self.progress(Progress(
                self.done, self.total, self.steps, self.steps,
                [result.name for result in results],
                lambda: [r.image for r in results if r.error is None]))
