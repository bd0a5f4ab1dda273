"""The event handlers of the page."""
import tempfile
import time
from contextlib import contextmanager
from functools import lru_cache
from html import escape
from pathlib import Path
from threading import Event, Lock
from typing import Dict, Iterator, List, Optional

import gradio as gr
import numpy as np

from ..apis.drawing import draw_spread
from ..apis.inferencer import RestorationInferencer
from ..errors import ConfigError, DataError, IRSDEError, user_message
from ..io.grids import spread_out
from ..io.photos import read_photo
from ..io.white_level import check_white
from . import view
from .examples import write_examples
from .work import Stopped, watched

KEPT, STATES, MOST_SAMPLES = 2, 6, 8
OWN = 'default'
#: Download, spread, draws and states: of an earlier photo, and as they are.
CLEARED = (gr.update(value=None, interactive=False),
           *[gr.update(value=None, visible=False)] * 3)
UNCHANGED = [gr.skip()] * 4


@contextmanager
def messages(path: Optional[str] = None) -> Iterator[None]:
    """Shows errors that a visitor can correct as a message in the page.

    The text is that of the command line; an uploaded file is named without
    the server's folder.
    """
    try:
        yield
    except (IRSDEError, OSError) as error:
        words = user_message(error)
        if not words:
            raise
        raise gr.Error(in_page(words, path), duration=None,
                       print_exception=False) from error


def in_page(words: str, path: Optional[str]) -> str:
    """A message about a photo without the folder it lies in on the server."""
    if path:
        words = words.replace(f'{Path(path).parent}/', '')
    return escape(words, quote=False)  # it is HTML, a name can be anything


class Desk:
    """Handles the events of the page, one restoration at a time.

    Args:
        models (dict[str, str]): Models of the list by name, as
            :class:`RestorationInferencer` takes them.
        max_pixels (int): Larger photos are refused.
        device (str, optional): Where models run.
    """

    def __init__(self, models: Dict[str, str], max_pixels: int,
                 device: Optional[str] = None) -> None:
        self.models, self.max_pixels = models, max_pixels
        self.device = device
        self.lock = Lock()
        self.running: Dict[str, Event] = {}
        self._load = lru_cache(KEPT)(lambda name: RestorationInferencer(
            models[name], device=device))
        self._examples = lru_cache(None)(self._write_examples)

    def inferencer(self, name: str) -> RestorationInferencer:
        """A model of the list; the last few stay loaded.

        Raises:
            ConfigError: If no model has that name.
        """
        if name not in self.models:
            raise ConfigError(f'there is no model {name!r}; there are '
                              f'{", ".join(self.models)}.')
        with self.lock:  # two visitors would load it twice
            return self._load(name)

    def _write_examples(self, name: str) -> List[Path]:
        folder = Path(tempfile.mkdtemp())
        return write_examples(self.inferencer(name).pipeline, folder)

    def show_examples(self, name: str):
        """The examples of a model in the gallery, hidden if empty."""
        with messages():
            files = self._examples(name)
        return gr.update(
            value=[(str(path), path.stem) for path in files],
            visible=bool(files), selected_index=None)

    def take_example(self, name: str, event: gr.SelectData):
        """An example in place of an upload: file, and what is shown."""
        path = str(self._examples(name)[event.index])
        return path, self.look(path)

    def look(self, path: Optional[str], white: Optional[int] = None) -> str:
        """The chosen photo, or a message of what is wrong with it."""
        if path is None:
            return view.EMPTY
        with messages(path):
            pixels = self.read(path, white)
        return view.one(pixels, about(path, pixels))

    def read(self, path: str, white: Optional[int]) -> np.ndarray:
        """The pixels of a photo; warnings are shown in the page.

        Raises:
            ConfigError, ImageError: If the white level or the photo cannot
                be used.
        """
        check_white(white or None)
        return read_photo(
            path, max_pixels=self.max_pixels, white=white or None,
            warn=lambda text: gr.Warning(in_page(text, path), duration=None))

    def stop(self, request: gr.Request) -> None:
        """Ends the visitor's restoration at its next step."""
        if request.session_hash in self.running:
            self.running[request.session_hash].set()

    def close(self) -> None:
        """Ends all restorations at their next step."""
        for event in list(self.running.values()):
            event.set()

    def restore(self, path: Optional[str], model: str, sampler: str,
                steps: Optional[int], seed: Optional[int], samples: int,
                request: gr.Request, white: Optional[int] = None
                ) -> Iterator[tuple]:
        """Restores a photo; shows the states on the way, then the result.

        Args:
            path: The uploaded file.
            model (str): One of the list.
            sampler (str): ``OWN`` for the model's, a preset or a sampler.
            steps (int, optional): 0 for the sampler's.
            seed (int, optional): As for :func:`restore_batch`.
            samples (int): How many results are drawn.
            request: Identifies the visitor.
            white (int, optional): White level of a 16-bit file, 0 for 65535.

        Yields:
            What is shown: the view, the download, the spread, the draws, the
            states.
        """
        stop = self.running[request.session_hash] = Event()
        options = dict(sampler=None if sampler == OWN else sampler,
                       steps=steps or None, seed=seed, samples=samples,
                       white=white or None)
        try:
            with messages(path), tempfile.TemporaryDirectory() as folder:
                photo = self.checked(path, samples, white)
                yield view.one(photo, about(path, photo)), *CLEARED
                yield from self.steps(photo, path, model, folder, options,
                                      stop)
        except Stopped:
            yield view.one(photo, 'stopped'), *CLEARED
        finally:
            self.running.pop(request.session_hash, None)

    def checked(self, path: Optional[str], samples: int,
                white: Optional[int]) -> np.ndarray:
        """The photo's pixels, if that and the options can be used.

        Raises:
            DataError, ConfigError: If not.
        """
        if path is None:
            raise DataError('there is no photo: upload one or take an '
                            'example.')
        if not 1 <= samples <= MOST_SAMPLES:
            raise ConfigError(f'{samples} results are not 1 to '
                              f'{MOST_SAMPLES}.')
        return self.read(path, white)

    def steps(self, photo, path: str, model: str, folder: str, options: dict,
              stop: Event) -> Iterator[tuple]:
        """The restoration itself: states, then the result."""
        start, seen, found = time.perf_counter(), [], []

        def work(callback):
            found.extend(self.inferencer(model)(
                path, **options, out_dir=folder, callback=callback,
                show_progress=False, max_pixels=self.max_pixels)[
                    'predictions'])

        for state, step, steps in watched(work, on_the_way, stop):
            if state is None:
                continue
            if step * options['samples'] <= steps:  # of the first result
                seen.append((view.to_picture(state, view.THUMB),
                             f'step {step}'))
            yield (view.one(state, f'step {step} of {steps}', step / steps),
                   *UNCHANGED)
        found, = found
        if found.error is not None:
            raise found.error
        file = found.path.rename(
            found.path.with_stem(f'{Path(path).stem}_{Path(model).stem}'))
        yield (view.slider(photo, found.image, (
                   f'{Path(path).name}, {model}: '
                   f'{time.perf_counter() - start:.1f} s{remark(found)}')),
               gr.update(value=str(file), interactive=True),
               *results(found, seen))


def about(path: str, pixels) -> str:
    """A photo's name and size."""
    return f'{Path(path).name}, {pixels.shape[1]} x {pixels.shape[0]} pixels'


def on_the_way(progress) -> tuple:
    """The progress to display: state (None if the photo could not be
    restored), step and number of steps."""
    state, = progress.states() or [None]
    return state, progress.step, progress.steps


def remark(found) -> str:
    """A note if several results are the same."""
    if found.spread is None or found.spread.any():
        return ''
    return ('; all results are the same, since neither start nor sampler '
            'draws noise')


def results(found, seen: list) -> tuple:
    """Spread, draws and states, each only if there is something to show."""
    differ = found.spread is not None and bool(found.spread.any())
    return (
        gr.update(value=view.to_picture(draw_spread(found.spread))
                  if differ else None, visible=differ),
        gr.update(value=[view.to_picture(image) for image in found.samples]
                  if differ else None, visible=differ),
        gr.update(value=spread_out(seen, STATES), visible=bool(seen)))
