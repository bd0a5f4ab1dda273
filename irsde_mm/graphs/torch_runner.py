"""Graphs of torch.export."""
import json
import zipfile
from pathlib import Path
from typing import Dict, Optional, Tuple

import numpy as np
import torch

from ..errors import CheckpointError
from ..inference.noise import image_generators
from ..sde.base import draw_noise
from .runner import GraphRunner
from .spec import MAX_TEXT, read_spec

#: Name of our metadata in the archive.
EXTRA = 'irsde_mm.json'


class TorchRunner(GraphRunner):
    """Graph in a .pt2 file, with the noise that a pipeline would draw.

    Torch evaluates expressions in the file when it loads it, so only open a
    file that you trust.

    Args:
        path (str): The file.

    Raises:
        CheckpointError: If the file is missing, broken, or not written by
            ``irsde export``.
    """

    def __init__(self, path: str) -> None:
        self.spec = read_spec(path, read_metadata(path))
        try:
            program = torch.export.load(path)
        except Exception as error:  # the file may contain arbitrary bytes
            reason = ' '.join(str(error).split())[:150]
            raise CheckpointError(f"'{path}' cannot be loaded by torch "
                                  f'{torch.__version__}: {reason}'
                                  ) from error
        self.module = program.module()

    def run(self, inputs: Dict[str, np.ndarray]) -> np.ndarray:
        with torch.no_grad():
            return self.module(*(torch.from_numpy(inputs[name])
                                 for name in ('image', 'noise')
                                 if name in inputs)).numpy()

    def noise(self, shape: Tuple[int, ...], name: str, seed: Optional[int],
              draw: int) -> np.ndarray:
        """Draw the noise that the pipeline of the model would draw."""
        cpu = torch.device('cpu')
        generators = image_generators(
            [name], self.spec.seed + draw, cpu) if seed is None else [
                torch.Generator(cpu).manual_seed(seed + draw)]
        like = torch.empty(shape[1:])
        return torch.stack([draw_noise(like, generators)
                            for _ in range(shape[0])]).numpy()


def read_metadata(path: str) -> Dict[str, str]:
    """Read our metadata from a .pt2 file, without loading the rest.

    Raises:
        CheckpointError: If the file is missing, or has none.
    """
    if not Path(path).is_file():
        raise CheckpointError(f"no model found at '{path}'.")
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist()
                     if name.endswith(f'extra/{EXTRA}')]
            if not names:
                return {}
            if archive.getinfo(names[0]).file_size > 8 * MAX_TEXT:
                raise ValueError('the metadata are too large')
            texts = json.loads(archive.read(names[0]))
            damaged = archive.testzip()
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise CheckpointError(f"'{path}' is not a .pt2 file, or is broken: "
                              f'{error}') from error
    if damaged is not None:
        raise CheckpointError(f"'{path}' is corrupted: the checksum of "
                              f"'{damaged}' does not match. Use another "
                              'copy.')
    if not isinstance(texts, dict):
        return {}
    return {str(key): str(value) for key, value in texts.items()}
