"""Running of exported graphs on photos."""
import zlib
from abc import ABC, abstractmethod
from pathlib import Path, PurePath
from typing import Dict, Optional, Tuple

import numpy as np

from ..errors import ImageError
from ..io.files import GRAPHS
from .spec import GraphSpec


def open_graph(path: str) -> 'GraphRunner':
    """Open a file that ``irsde export`` wrote.

    An ONNX file is run by onnxruntime, without importing torch, and executes
    no code of its own. Only open a .pt2 file that you trust, because torch
    may execute code that it contains.

    Raises:
        CheckpointError: If the file is missing, broken, or another one.
        ConfigError: If onnxruntime is not installed.
    """
    if Path(path).suffix == GRAPHS['onnx']:
        from .onnx_runner import OnnxRunner
        return OnnxRunner(path)
    from .torch_runner import TorchRunner
    return TorchRunner(path)


class GraphRunner(ABC):
    """A graph that restores photos.

    Attributes:
        spec (GraphSpec): Its description.
    """

    spec: GraphSpec

    @abstractmethod
    def run(self, inputs: Dict[str, np.ndarray]) -> np.ndarray:
        """Return the output of the graph.

        Args:
            inputs (dict): ``image`` and, if the graph draws noise,
                ``noise``; float32, see :data:`LAYOUT`.

        Raises:
            MemoryError: If there is not enough memory.
        """

    def noise(self, shape: Tuple[int, ...], name: str,
              seed: Optional[int], draw: int) -> np.ndarray:
        """Draw the noise of a photo with numpy.

        Args:
            shape (tuple): (N, 1, C, H, W).
            name (str): Path of the photo; its file name seeds the noise if
                ``seed`` is None.
            seed (int, optional): Seed from 0 to 2^63 - 1.
            draw (int): Added to the seed.
        """
        number = seed_of(name, self.spec.seed + draw) if seed is None \
            else seed + draw
        return np.random.default_rng(number).standard_normal(
            shape, dtype=np.float32)

    def restore(self, image: np.ndarray, name: str = '', *,
                seed: Optional[int] = None, draw: int = 0) -> np.ndarray:
        """Restore a photo.

        Args:
            image (ndarray): (H, W, C) uint8 BGR.
            name, seed, draw: See :meth:`noise`.

        Returns:
            ndarray: (H', W', C) uint8 BGR.

        Raises:
            ImageError: If the graph takes only images of another size.
            MemoryError: As for :meth:`run`.
        """
        spec = self.spec
        self.check_size(*image.shape[:2])
        pixels = image[..., ::-1].transpose(2, 0, 1)[None]
        inputs = dict(image=np.ascontiguousarray(pixels, np.float32) / 255)
        if spec.draws:
            h, w = (spec.scale * side for side in image.shape[:2])
            inputs['noise'] = self.noise(
                (spec.draws, 1, spec.channels, h, w), name, seed, draw)
        restored = self.run(inputs)[0].transpose(1, 2, 0)[..., ::-1]
        return np.ascontiguousarray(
            np.rint(restored * 255).clip(0, 255).astype(np.uint8))

    def check_size(self, height: int, width: int) -> None:
        """Check that the graph takes images of this size.

        Raises:
            ImageError: If it does not. The message does not name the image.
        """
        spec = self.spec
        if spec.height is not None and (height, width) != (
                spec.height, spec.width):
            raise ImageError(
                f'has {width} x {height} pixels, but the graph was exported '
                f'for {spec.width} x {spec.height}: export it with --dynamic')


def seed_of(name: str, seed: int) -> int:
    """Return the seed for a photo, from the seed and the file name."""
    return zlib.crc32(f'{seed}:{PurePath(name).name}'.encode(
        errors='surrogateescape'))  # file names may be any bytes
