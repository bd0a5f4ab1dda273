"""Results and progress of a restoration."""
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np
from tqdm.auto import tqdm

from ..errors import IRSDEError
from ..inference.progress import Progress
from ..io.grids import spread_out

#: Maximum number of states kept of a trajectory.
STATES = 8


@dataclass
class Restoration:
    """Result of restoring one photo.

    Attributes:
        name (str): Path, or 'image_N' for the Nth image without one.
        image (ndarray, optional): (H, W, C) uint8 BGR, the first draw.
        samples (list[ndarray]): All draws.
        spread (ndarray, optional): (H, W) float32, the spread of several
            draws, see :func:`spread`.
        states (list): Pairs (t, image) from x_T to x_0, if requested.
        lower, upper (ndarray, optional): (H, W, C) uint8 BGR, the bounds of
            the pixel intervals of ``image`` in gray levels, if requested.
        doubt (str): Why these may not hold, or ''.
        changes (dict[str, float]): What was removed, by kind, if the model
            was trained on several kinds of degradation, see :func:`changes`.
        error (IRSDEError, optional): Reason why there is no image.
        path (Path, optional): File of ``image``.
        files (list[Path]): All files written.
    """
    name: str
    image: Optional[np.ndarray] = None
    samples: List[np.ndarray] = field(default_factory=list)
    spread: Optional[np.ndarray] = None
    states: List[Tuple[float, np.ndarray]] = field(default_factory=list)
    lower: Optional[np.ndarray] = None
    upper: Optional[np.ndarray] = None
    doubt: str = ''
    changes: Dict[str, float] = field(default_factory=dict)
    error: Optional[IRSDEError] = None
    path: Optional[Path] = None
    files: List[Path] = field(default_factory=list)


def spread(samples: Sequence[np.ndarray]) -> np.ndarray:
    """Compute the pixel-wise standard deviation over draws.

    It is large where the model is uncertain.

    Args:
        samples: At least two images (H, W, C) uint8.

    Returns:
        ndarray: (H, W) float32 in units of 0..255: the square root of the
        variance averaged over channels, with the unbiased estimate (N - 1).
    """
    mean = sum(image.astype(np.float32) for image in samples) / len(samples)
    variance = sum((image - mean)**2 for image in samples)
    return np.sqrt(variance.mean(axis=2) / (len(samples) - 1))


class BatchTracker:
    """Callback that keeps states and reports progress while a batch is drawn.

    Args:
        names (list[str]): Names of the photos.
        calls (int): Maximum number of sampler steps of a trajectory.
        trajectories (int): Number of trajectories of a draw.
        samples (int): Number of draws.
        trajectory (bool): Whether to keep states of the first draw.
        report (callable): Called with a :class:`Progress` of the batch after
            every step.

    Attributes:
        draw (int): Index of the current draw.
        draws (list): Images of each finished draw.
    """

    def __init__(self, names: List[str], calls: int, trajectories: int,
                 samples: int, trajectory: bool,
                 report: Callable[[Progress], None]) -> None:
        self.names = names
        self.calls = calls
        self.steps = trajectories * calls
        self.samples = samples
        self.trajectory = trajectory
        self.report = report
        self.states: Dict[int, list] = {i: [] for i in range(len(names))}
        self.chosen: set = set()
        self.draw = 0
        self.draws: List[List[np.ndarray]] = []

    def __call__(self, progress: Progress) -> None:
        """Record one step; the callback of :func:`restore_batch`."""
        photos, step = progress.photos, progress.step
        if self.trajectory and self.draw == 0:
            if step == 0:  # a smaller start time leaves fewer steps
                self.chosen = set(spread_out(
                    range(int(min(self.calls, progress.t)) + 1), STATES))
            if step in self.chosen:
                for i, image in zip(photos, progress.states()):
                    self.states[i].append((progress.t, image))
        # photos that are restored one by one share the steps of their batch
        share = (photos.start * self.steps + step * len(photos)) / len(
            self.names)
        self.report(replace(
            progress, step=int(self.draw * self.steps + share),
            steps=self.samples * self.steps,
            names=[self.names[i] for i in photos]))

    def restored(self) -> List[Restoration]:
        """Build the results from :attr:`draws`."""
        results = []
        for i, name in enumerate(self.names):
            samples = [images[i] for images in self.draws]
            states = self.states[i]
            if states:  # a solver may take fewer steps
                states[-1] = (0., samples[0])
            results.append(Restoration(
                name, samples[0], samples,
                spread(samples) if len(samples) > 1 else None, states))
        return results


class Report:
    """Progress bar and callback of an inferencer call.

    Args:
        total (int): Number of images.
        steps (int): Steps per image over all draws.
        callback (callable, optional): Called with a :class:`Progress`.
        show (bool): Whether to show the bar.
        done (int): Number of images restored by an earlier call, which do not
            count for the time left.
    """

    def __init__(self, total: int, steps: int,
                 callback: Optional[Callable[[Progress], Any]],
                 show: bool, done: int = 0) -> None:
        self.total, self.steps, self.callback = total, steps, callback
        self.bar = tqdm(total=total * steps, initial=done * steps,
                        unit='step', disable=not show)
        self.done, self.batch = done, 0

    def __enter__(self) -> 'Report':
        return self

    def __exit__(self, *_) -> None:
        self.bar.close()

    def begin(self, names: List[str]) -> None:
        """Start a batch."""
        self.batch = len(names)
        self.bar.set_description(
            f'{names[0]}, {self.done + 1} of {self.total}')

    def step(self, progress: Progress) -> None:
        """Report a step, given the progress of the batch."""
        self.bar.update(self.done * self.steps + progress.step * self.batch
                        - self.bar.n)
        if self.callback is not None:
            self.callback(replace(progress, done=self.done,
                                  total=self.total))

    def end(self, results: List[Restoration]) -> None:
        """Finish a batch, even if its images took fewer steps."""
        self.done += self.batch
        self.bar.update(self.done * self.steps - self.bar.n)
        restored = [r for r in results if r.error is None]
        if self.callback is not None:
            self.callback(Progress(
                self.steps, self.steps, 0., range(len(restored)),
                lambda: [r.image for r in restored],
                [r.name for r in restored], self.done, self.total))
