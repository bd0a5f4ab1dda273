"""Finding clips among the inputs, and opening them."""
import os
from pathlib import Path, PurePath
from typing import Iterable, List, Optional, Sequence, Tuple, Union

from ..errors import DataError
from .clips import Clip
from .gif import GifClip, is_animated
from .photos import find_images, holds_images, matching
from .reader import MAX_PIXELS
from .sequences import NUMBER, SequenceClip, in_order, numbered
from .video import EXTENSIONS, VideoClip

#: A file, or the files of a sequence.
Source = Union[Path, List[Path]]


def is_video(path: PurePath) -> bool:
    """Return True if a file name has the extension of a video."""
    return (path.suffix.lower() in EXTENSIONS
            and not path.name.startswith('.'))


def is_gif(path: PurePath) -> bool:
    return path.suffix.lower() == '.gif' and not path.name.startswith('.')


def split_inputs(inputs: Iterable[str], sequences: bool = False
                 ) -> Tuple[List[Source], List[str]]:
    """Separate clips from photos.

    A video is named, matches a pattern, or is directly in a named folder. An
    animated GIF must be named, or match a pattern that ends with .gif: in
    folders, GIF files are not searched for.

    Args:
        inputs: Files, folders and patterns.
        sequences (bool): Whether the photos in each folder are the frames of
            a clip; then patterns such as ``shot/%04d.png`` are known, too.

    Returns:
        (clips, photos): Clips, and the inputs that remain.

    Raises:
        DataError: If a pattern matches nothing.
    """
    clips: List[Source] = []
    photos: List[str] = []
    frames: List[Path] = []
    for name in map(str, inputs):
        path, found, rest = Path(name), [], True
        if os.path.isdir(path):
            found = sorted(filter(is_video, path.iterdir()))
            rest = not found or holds_images(path)
        elif os.path.lexists(path):
            rest = not (is_video(path) or (is_gif(path)
                                           and is_animated(path)))
            found = [] if rest else [path]
        elif NUMBER.search(path.name):
            if not sequences:
                raise DataError(f'{name!r} numbers the frames of a clip: add '
                                '--video.')
            frames += numbered(path)
            rest = False
        else:
            found, rest = in_pattern(path)
        clips += [clip for clip in found if clip not in clips]
        photos += [name] if rest else []
    if not sequences:
        return clips, photos
    frames += find_images(photos)
    return clips + by_folder(frames), []


def in_pattern(pattern: Path) -> Tuple[List[Path], bool]:
    """Return the clips that match a pattern, and whether it may match photos.
    """
    try:
        if is_gif(pattern):
            found = matching(pattern, is_gif)
            clips = [path for path in found if is_animated(path)]
            if len(clips) < len(found):
                raise DataError(
                    f'{str(pattern)!r} matches GIF files with a single image, '
                    'which are photos: name those to restore.')
            return clips, False
        found = matching(pattern, is_video)
    except DataError:
        if is_gif(pattern):
            raise
        return [], True
    try:
        return found, bool(matching(pattern))
    except DataError:
        return found, False


def by_folder(files: Sequence[Path]) -> List[List[Path]]:
    """Group frames by their folder, in the order of their numbers."""
    folders = dict.fromkeys(path.parent for path in files)
    return [sorted({path for path in files if path.parent == folder},
                   key=in_order) for folder in folders]


def open_clip(source: Source, max_pixels: int = MAX_PIXELS,
              white: Optional[int] = None) -> Clip:
    """Open a clip.

    Args:
        source: See :func:`split_inputs`.
        max_pixels (int): Clips with larger frames are rejected.
        white (int, optional): White level of the photos of a sequence, see
            :func:`read_image`.

    Raises:
        ConfigError: If the extra video is not installed, or a white level is
            given for a video.
        DataError: If the clip cannot be used.
    """
    if isinstance(source, list):
        return SequenceClip(source, max_pixels, white)
    if white is not None:
        raise DataError(f"'{source}' is not a sequence of photos with 16 bits "
                        'per channel: omit the white level (--white).')
    return (GifClip if is_gif(source) else VideoClip)(source, max_pixels)
