"""Event handlers of the page."""
import tempfile
import time
from contextlib import contextmanager
from functools import lru_cache
from html import escape
from pathlib import Path
from threading import Event, Lock
from typing import Any, Dict, Iterator, List, Optional

import gradio as gr
import numpy as np

from ..apis.drawing import draw_spread
from ..apis.inferencer import RestorationInferencer
from ..errors import ConfigError, DataError, IRSDEError, user_message
from ..inference.change_kinds import describe_changes
from ..io.grids import spread_out
from ..io.photos import read_photo
from ..io.white_level import check_white
from . import view
from .examples import write_examples
from .progress import Stopped, iterate_progress

#: Models kept in memory, intermediate states shown, results per request.
MAX_MODELS, MAX_STATES, MAX_SAMPLES = 2, 6, 8
DEFAULT_SAMPLER = 'default'
#: Updates of download, spread, draws, states and width that remove the last
#: result or keep it.
CLEARED = (gr.update(value=None, interactive=False),
           *[gr.update(value=None, visible=False)] * 4)
UNCHANGED = [gr.skip()] * 5


@contextmanager
def show_errors(path: Optional[str] = None) -> Iterator[None]:
    """Show errors that a user can correct as a message on the page.

    The text is that of the command line, without the folder of an uploaded
    file.
    """
    try:
        yield
    except (IRSDEError, OSError) as error:
        message = user_message(error)
        if not message:
            raise
        raise gr.Error(to_html(message, path), duration=None,
                       print_exception=False) from error


def to_html(message: str, path: Optional[str]) -> str:
    """Escape a message about a photo and remove its folder on the server."""
    if path:
        message = message.replace(f'{Path(path).parent}/', '')
    # the message contains the file name, which can be any text
    return escape(message, quote=False)


class RestorationService:
    """Handlers of the page's events, which run one restoration at a time.

    Args:
        models (dict[str, str]): Available models by name, each as
            :class:`RestorationInferencer` takes it.
        max_pixels (int): Photos with more pixels are refused.
        device (str, optional): Device to run the models on.
    """

    def __init__(self, models: Dict[str, str], max_pixels: int,
                 device: Optional[str] = None) -> None:
        self.models, self.max_pixels = models, max_pixels
        self.device = device
        self.lock = Lock()
        self.running: Dict[str, Event] = {}
        self._load = lru_cache(MAX_MODELS)(lambda name: RestorationInferencer(
            models[name], device=device))
        self._examples = lru_cache(None)(self._write_examples)

    def inferencer(self, name: str) -> RestorationInferencer:
        """Return a model by name; the last ones stay in memory.

        Raises:
            ConfigError: If the name is unknown.
        """
        if name not in self.models:
            raise ConfigError(f'unknown model {name!r}; choose one of '
                              f'{", ".join(self.models)}.')
        with self.lock:  # two requests would load it twice
            return self._load(name)

    def _write_examples(self, name: str) -> List[Path]:
        folder = Path(tempfile.mkdtemp())
        return write_examples(self.inferencer(name).pipeline, folder)

    def show_examples(self, name: str) -> dict:
        """Show the examples of a model in the gallery, or hide it."""
        with show_errors():
            files = self._examples(name)
        return gr.update(
            value=[(str(path), path.stem) for path in files],
            visible=bool(files), selected_index=None)

    def select_example(self, name: str, event: gr.SelectData) -> tuple:
        """Return an example as the uploaded file, and its preview."""
        path = str(self._examples(name)[event.index])
        return path, self.preview(path)

    def preview(self, path: Optional[str],
                white: Optional[int] = None) -> str:
        """Show the selected photo, or a message why it cannot be used."""
        if path is None:
            return view.EMPTY
        with show_errors(path):
            pixels = self.read(path, white)
        return view.photo(pixels, describe(path, pixels))

    def read(self, path: str, white: Optional[int]) -> np.ndarray:
        """Read a photo; warnings are shown on the page.

        Raises:
            ConfigError, ImageError: If the white level or the photo cannot
                be used.
        """
        check_white(white or None)
        return read_photo(
            path, max_pixels=self.max_pixels, white=white or None,
            warn=lambda text: gr.Warning(to_html(text, path), duration=None))

    def stop(self, request: gr.Request) -> None:
        """Stop the restoration of a session at its next step."""
        if request.session_hash in self.running:
            self.running[request.session_hash].set()

    def close(self) -> None:
        """Stop all restorations at their next step."""
        for event in list(self.running.values()):
            event.set()

    def restore(self, path: Optional[str], model: str, sampler: str,
                steps: Optional[int], seed: Optional[int], samples: int,
                request: gr.Request, white: Optional[int] = None,
                crispness: float = 1.,
                interval: Optional[float] = None) -> Iterator[tuple]:
        """Restore a photo, showing intermediate states and then the result.

        Args:
            path (str, optional): The uploaded file.
            model (str): Name of one of the available models.
            sampler (str): ``DEFAULT_SAMPLER`` for the model's, a preset or a
                sampler.
            steps (int, optional): Number of steps; 0 for the sampler's.
            seed (int, optional): As for :func:`restore_batch`.
            samples (int): Number of results to draw.
            request (gradio.Request): Identifies the session.
            white (int, optional): White level of a 16-bit file; 0 for 65535.
            crispness (float): As for :func:`restore_batch`; 1 is the default
                of the model.
            interval (float, optional): Level of the interval; 0 for none.

        Yields:
            tuple: Updates of the view, the download, the spread, the draws,
            the states and the width of the interval.
        """
        stop = self.running[request.session_hash] = Event()
        options = dict(
            sampler=None if sampler == DEFAULT_SAMPLER else sampler,
            steps=steps or None, seed=seed, samples=samples,
            white=white or None, interval=interval or None,
            crispness=None if crispness == 1 else crispness)
        try:
            with show_errors(path), tempfile.TemporaryDirectory() as folder:
                pixels = self.check_and_read(path, samples, white)
                yield view.photo(pixels, describe(path, pixels)), *CLEARED
                yield from self.run(pixels, path, model, folder, options,
                                    stop)
        except Stopped:
            yield view.photo(pixels, 'stopped'), *CLEARED
        finally:
            self.running.pop(request.session_hash, None)

    def check_and_read(self, path: Optional[str], samples: int,
                       white: Optional[int]) -> np.ndarray:
        """Check the options and read the photo.

        Raises:
            DataError, ConfigError: If the photo is missing or an option
                cannot be used.
        """
        if path is None:
            raise DataError('no photo: upload one or select an example.')
        if not 1 <= samples <= MAX_SAMPLES:
            raise ConfigError('the number of results must be from 1 to '
                              f'{MAX_SAMPLES}, got {samples}.')
        return self.read(path, white)

    def run(self, pixels: np.ndarray, path: str, model: str, folder: str,
            options: dict, stop: Event) -> Iterator[tuple]:
        """Run the restoration; yield its states, then the result."""
        start, states, predictions = time.perf_counter(), {}, []

        def work(callback):
            predictions.extend(self.inferencer(model)(
                path, **options, out_dir=folder, callback=callback,
                show_progress=False, max_pixels=self.max_pixels)[
                    'predictions'])

        for state, step, steps, t in iterate_progress(work, current, stop):
            if state is None:
                continue
            # of the first result; at its last step the next one starts
            if step * options['samples'] + (t > 0) <= steps:
                # the last step is reported again when the photo is finished
                states[step] = view.to_picture(state, view.THUMB)
            yield (view.photo(state, f'step {step} of {steps}', step / steps),
                   *UNCHANGED)
        result, = predictions
        if result.error is not None:
            raise result.error
        file = result.path.rename(
            result.path.with_stem(f'{Path(path).stem}_{Path(model).stem}'))
        yield (view.slider(pixels, result.image, (
                   f'{Path(path).name}, {model}: '
                   f'{time.perf_counter() - start:.1f} s{remark(result)}')),
               gr.update(value=str(file), interactive=True),
               *details(result, [(picture, f'step {step}')
                                 for step, picture in states.items()]))


def describe(path: str, pixels: np.ndarray) -> str:
    """Return a photo's name and size."""
    return f'{Path(path).name}, {pixels.shape[1]} x {pixels.shape[0]} pixels'


def current(progress: Any) -> tuple:
    """Return the current state (None if the photo failed), the step, the
    number of steps and the time."""
    state, = progress.states() or [None]
    return state, progress.step, progress.steps, progress.t


def remark(result: Any) -> str:
    """Return a note about what was removed, if the interval may not hold, or
    if several results are identical."""
    notes = [describe_changes(result.changes)] if result.changes else []
    if result.doubt:
        notes.append(result.doubt)
    elif result.spread is not None and not result.spread.any():
        notes.append('all results are identical because neither the start '
                     'nor the sampler draws noise')
    return ''.join(f'; {note}' for note in notes)


def details(result: Any, states: list) -> tuple:
    """Return updates of spread, draws, states and width; empty ones are
    hidden."""
    differ = result.spread is not None and bool(result.spread.any())
    return (
        gr.update(value=view.to_picture(draw_spread(result.spread))
                  if differ else None, visible=differ),
        gr.update(value=[view.to_picture(image) for image in result.samples]
                  if differ else None, visible=differ),
        gr.update(value=spread_out(states, MAX_STATES), visible=bool(states)),
        gr.update(value=view.to_picture(draw_spread(
            (result.upper - result.lower).mean(axis=2), 'mean width'))
            if result.upper is not None else None,
            visible=result.upper is not None))
