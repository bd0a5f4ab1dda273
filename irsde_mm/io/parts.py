"""Folder of the frames that are ready, for a run that may be interrupted."""
import fcntl
import json
import os
import shutil
from pathlib import Path
from typing import Optional

import numpy as np

from ..errors import OutputError
from .files import replace, write_text
from .photos import write_image

#: End of the folder's name, and start of the names of unfinished files.
SUFFIX, UNFINISHED = '.frames', 'part.'


def folder_of(target: Path) -> Path:
    """Return the hidden folder beside a result where its frames wait."""
    return target.with_name(f'.{target.name}{SUFFIX}')


class Parts:
    """Restored frames of a clip, each a PNG file.

    Use it as a context manager, which allows one process at a time. The
    folder remains until :meth:`remove`, so that a killed run can go on.

    Args:
        target (Path): The result.
        settings (dict): What the frames depend on, as plain text and numbers.

    Raises:
        OutputError: If the folder is in use, holds frames with other
            settings, or cannot be written.
    """

    def __init__(self, target: Path, settings: dict) -> None:
        self.path, self.settings = folder_of(target), settings
        self.lock: Optional[int] = None

    def __enter__(self) -> 'Parts':
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.lock = os.open(self.path, os.O_RDONLY)
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._check()
        except OutputError:
            self.close()
            raise
        except BlockingIOError:
            self.close()
            raise OutputError(f"another process is restoring '{self.path}'."
                              ) from None
        except OSError as error:
            self.close()
            raise OutputError(f"cannot write to '{self.path}': "
                              f'{error.strerror}.') from error
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """Let other processes use the folder."""
        if self.lock is not None:
            os.close(self.lock)
            self.lock = None

    def _check(self) -> None:
        """Compare the settings, and remove what a killed process left."""
        file = self.path / 'settings.json'
        for left in self.path.glob(f'{UNFINISHED}*'):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        if not file.exists():
            write_text(file, json.dumps(self.settings, indent=1))
            return
        found = json.loads(file.read_text())
        changed = [f'{key} {found.get(key)!r}, not {value!r}'
                   for key, value in self.settings.items()
                   if found.get(key) != value]
        if changed:
            raise OutputError(
                f"'{self.path}' holds frames of an interrupted run with "
                f"{'; '.join(changed)}: use the same settings to go on, "
                'or delete that folder to start again.')

    def file(self, index: int) -> Path:
        """Return the file of a frame."""
        return self.path / f'{index:08d}.png'

    def count(self) -> int:
        """Return the number of frames that are ready, from the first one."""
        number = 0
        while self.file(number).exists():
            number += 1
        return number

    def write(self, index: int, image: np.ndarray, metadata: dict) -> None:
        """Write a frame, (H, W, C) uint8 BGR, at once or not at all.

        Raises:
            OutputError: If it cannot be written.
        """
        part = self.part('frame.png')
        write_image(part, image, **metadata)
        replace(part, self.file(index))

    def part(self, name: str) -> Path:
        """Return a file for unfinished work, where nothing is yet."""
        path = self.path / f'{UNFINISHED}{name}'
        path.unlink(missing_ok=True)
        return path

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.path)
