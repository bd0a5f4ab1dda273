"""Writing of results without overwriting files."""
import os
from pathlib import Path
from typing import Dict, List, Sequence

import numpy as np

from ..errors import OutputError
from ..io.photos import prepare_folder, write_image
from .drawing import write_animation
from .photos import Photo, keep_folders
from .results import Restoration

#: Maximum length of a file name in bytes on common file systems.
LONGEST = 255


def check_new(targets: Sequence[Path]) -> None:
    """Check before the work starts that new files can be written.

    Raises:
        OutputError: If a file exists, two files would be the same, or a name
            is too long.
    """
    seen = set()
    for target in targets:
        if len(os.fsencode(target.name)) > LONGEST:
            raise OutputError(f"the file name of '{target}' would be too "
                              'long: rename the photo.')
        if os.path.lexists(target):
            raise OutputError(f"'{target}' already exists and is not "
                              'overwritten: choose another --out.')
        if target in seen:
            raise OutputError(f"two photos would be written to '{target}': "
                              'restore them into different folders.')
        seen.add(target)


class Folder:
    """Output folder of an inferencer call.

    Args:
        path (Path): An existing folder.
        samples (int): Number of draws per photo.
        pictures (Sequence[str]): Visualizations of each photo: 'compare',
            'states', 'spread', 'lower', 'upper', 'width'.
    """

    def __init__(self, path: Path, samples: int,
                 pictures: Sequence[str]) -> None:
        self.path = path
        self.samples = samples
        self.pictures = pictures

    def images(self, stem: str) -> List[Path]:
        """Return the files of a photo's draws."""
        names = [stem] if self.samples == 1 else [
            f'{stem}_{i + 1}' for i in range(self.samples)]
        return [self.path / f'{name}.png' for name in names]

    def files(self, stem: str) -> List[Path]:
        """Return all files of a photo."""
        files = self.images(stem) + [self.path / f'{stem}_{kind}.png'
                                     for kind in self.pictures]
        if 'states' in self.pictures:
            files.append(self.path / f'{stem}_states.gif')
        return files

    def prepare(self, photos: Sequence[Photo]) -> None:
        """Create the folders of the results.

        If two results would otherwise have the same name, the results keep
        the folder structure of the photos.

        Raises:
            OutputError: If a file exists or cannot be written, or if two
                files would still be the same.
        """
        files = self.all_files(photos)
        if len(set(files)) < len(files):
            keep_folders(photos)
            files = self.all_files(photos)
        check_new(files)
        for folder in {file.parent for file in files}:
            prepare_folder(folder)

    def all_files(self, photos: Sequence[Photo]) -> List[Path]:
        return [file for photo in photos for file in self.files(photo.stem)]

    def write(self, stem: str, result: Restoration,
              pictures: Dict[str, np.ndarray], metadata: dict) -> None:
        """Write a photo's results and record the files in ``result``.

        Args:
            stem (str): Stem of the file names.
            result (Restoration): A result with an image.
            pictures (dict): Visualizations (H, W, C) uint8 BGR by kind.
            metadata (dict): See :func:`read_metadata`. Of this, the
                visualizations get only the color profile.
        """
        for path, image in zip(self.images(stem), result.samples):
            write_image(path, image, **metadata)
            result.files.append(path)
        result.path = result.files[0]
        profile = {key: value for key, value in metadata.items()
                   if key == 'icc_profile' and result.image.shape[2] == 3}
        for kind, picture in pictures.items():
            path = self.path / f'{stem}_{kind}.png'
            # the photo's color profile does not apply to a map
            write_image(path, picture, **(
                {} if kind in ('spread', 'width') else profile))
            result.files.append(path)
        if 'states' in pictures:
            path = self.path / f'{stem}_states.gif'
            write_animation(path, [image for _, image in result.states])
            result.files.append(path)
