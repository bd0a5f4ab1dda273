"""The manifest beside the results, also in an object store."""
import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from ..errors import OutputError
from ..io.addresses import one_line, reaching
from .manifest import FILE, Manifest
from .places import STATE, Place
from .retrying import persist

#: Seconds between two uploads, and the largest share of the time that they
#: take.
INTERVAL, SHARE = 60., 0.05
RETRIES = 5
NAME = f'{STATE}/{FILE}'


class Snapshots:
    """Uploads of a manifest, which SQLite can only keep on a disk.

    Args:
        manifest (Manifest): The manifest.
        target (Place): Where its copy belongs; in a folder, it is there
            already.
    """

    def __init__(self, manifest: Manifest, target: Place) -> None:
        self.manifest, self.target = manifest, target
        self.next = 0.

    def upload(self, now: bool = False) -> None:
        """Commit and upload the manifest, if it is time or ``now``.

        Raises:
            OutputError: If it cannot be uploaded.
        """
        if self.target.local or (time.monotonic() < self.next and not now):
            return
        self.manifest.commit()
        start = time.monotonic()
        try:
            persist(lambda: self.target.fs.put_file(
                str(self.manifest.path), self.target.path(NAME)), RETRIES)
        except Exception as error:  # each protocol has exceptions of its own
            raise OutputError(f"cannot write '{self.target.full(NAME)}': "
                              f'{one_line(error)}.') from error
        end = time.monotonic()
        self.next = end + max(INTERVAL, (end - start) / SHARE)


@contextmanager
def opened(target: Place) -> Iterator[Manifest]:
    """Open the manifest of a target; of an object store, a copy.

    Raises:
        DataError: If it is damaged, or cannot be read.
    """
    folder = Path(target.path(STATE)) if target.local else Path(
        tempfile.mkdtemp(prefix='irsde_scale_'))
    try:
        if target.local:
            shutil.rmtree(folder / 'parts', ignore_errors=True)
        else:
            _download(target, folder / FILE)
        manifest = Manifest(folder / FILE)
        try:
            yield manifest
        finally:
            manifest.close()
    finally:
        if not target.local:
            shutil.rmtree(folder, ignore_errors=True)


def _download(target: Place, path: Path) -> None:
    with reaching(target.full(NAME)):
        if persist(lambda: target.exists(NAME), RETRIES):
            persist(lambda: target.fs.get_file(target.path(NAME), str(path)),
                    RETRIES)
