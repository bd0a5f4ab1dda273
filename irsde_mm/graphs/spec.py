"""Description of an exported graph, stored in its file."""
import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Dict, Optional

from ..errors import CheckpointError
from ..version import __version__

FORMAT, FORMAT_VERSION = 'irsde_mm graph', 1
MAX_TEXT = 2**20  # characters per metadata field; ours have thousands
MAX_DRAWS, MAX_SIDE = 10**4, 2**20
#: Conventions of inputs and output, for readers of the file.
LAYOUT = dict(
    image='(1, C, H, W) float32 in [0, 1], RGB or gray',
    noise='(N, 1, C, scale * H, scale * W) float32, standard normal: the '
    'draws in order; no such input if N = 0',
    restored='(1, C, scale * H, scale * W) float32 in [0, 1]')


@dataclass(frozen=True)
class GraphSpec:
    """Description of a graph.

    Attributes:
        channels (int): Channels of the images, 1 or 3.
        scale (int): Factor from the size of an image to that of its result.
        draws (int): N, number of noise tensors.
        calls (int): Number of network calls.
        seed (int): Combined with a photo's name to seed its noise.
        bytes_per_pixel (float): Memory of a network call, per pixel.
        height, width (int, optional): Size of the images; None for any.
        texts (dict[str, str]): Title, license, model card and settings.
    """
    channels: int
    scale: int
    draws: int
    calls: int
    seed: int
    bytes_per_pixel: float
    height: Optional[int] = None
    width: Optional[int] = None
    texts: Dict[str, str] = field(default_factory=dict)

    def metadata(self) -> Dict[str, str]:
        """Return the metadata of the file."""
        own = {key: value for key, value in asdict(self).items()
               if key != 'texts'}
        return dict(self.texts, format=FORMAT, version=__version__,
                    format_version=str(FORMAT_VERSION), graph=json.dumps(own),
                    **{f'layout_{key}': text for key, text in LAYOUT.items()})


def read_spec(path: str, metadata: Dict[str, str]) -> GraphSpec:
    """Return the description in the metadata of a file.

    Raises:
        CheckpointError: If the file was not written by ``irsde export`` of
            this or an older version, or the description is invalid.
    """
    if metadata.get('format') != FORMAT:
        raise CheckpointError(f"'{path}' has no description of a restorer: it "
                              'was not written by irsde export.')
    number = metadata.get('format_version', '')
    if number != str(FORMAT_VERSION):
        raise CheckpointError(
            f"'{path}' was written by irsde_mm {metadata.get('version')} in "
            f'format {number[:9]}, but irsde_mm {__version__} reads format '
            f'{FORMAT_VERSION}: export the model again.')
    try:
        text = metadata.get('graph', '')
        if len(text) > MAX_TEXT:
            raise ValueError(f'longer than {MAX_TEXT} characters')
        values = json.loads(text)
        names = {item.name for item in fields(GraphSpec)} - {'texts'}
        if not isinstance(values, dict) or set(values) != names:
            raise ValueError(f'it needs {", ".join(sorted(names))}')
        check_values(**values)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"the metadata of '{path}' cannot be read: "
                              f'{error}.') from error
    own = ('format', 'format_version', 'version', 'graph')
    return GraphSpec(**values, texts={
        key: value for key, value in metadata.items() if key not in own
        and not key.startswith('layout_')})


def check_values(channels: Any, scale: Any, draws: Any, calls: Any,
                 seed: Any, bytes_per_pixel: Any, height: Any,
                 width: Any) -> None:
    """Check the fields of a description.

    Raises:
        ValueError: Naming the first field that is out of range.
    """
    sides = dict(height=height, width=width)
    if (height is None) != (width is None):
        raise ValueError('height and width must both be given or missing')
    ranges = dict(
        channels=(channels, 1, 3), scale=(scale, 1, 64),
        draws=(draws, 0, MAX_DRAWS), calls=(calls, 0, MAX_DRAWS),
        seed=(seed, 0, 2**63 - 1), **{
            name: (side, 1, MAX_SIDE) for name, side in sides.items()
            if side is not None})
    for name, (value, low, high) in ranges.items():
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f'{name} is {value!r:.40}, not from {low} to '
                             f'{high}')
    if channels == 2:
        raise ValueError('channels is 2, not 1 or 3')
    if type(bytes_per_pixel) not in (int, float) or not (
            0 <= bytes_per_pixel < 2**40):
        raise ValueError(f'bytes_per_pixel is {bytes_per_pixel!r:.40}')
