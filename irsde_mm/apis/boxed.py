"""The small trained models that come with this package."""
from pathlib import Path
from typing import Dict

from ..weight_files import EXPORTED

WEIGHTS = Path(__file__).parents[1] / 'weights'


def boxed_models() -> Dict[str, Path]:
    """The models in the box by name, each an exported file.

    A card beside each, ``NAME.md``, says what it was trained on and by which
    config, how well it restores, where it fails, and under what terms it may
    be used.

    Returns:
        dict[str, Path]: Names, such as those of the tasks, and files.
    """
    return {path.stem: path for path in sorted(WEIGHTS.glob(f'*{EXPORTED}'))}


def find_boxed(model: str) -> str:
    """The file behind a boxed name; anything else as it is.

    A path that exists is taken for the path even if a model in the box is
    called the same.
    """
    if Path(model).exists():
        return str(model)
    return str(boxed_models().get(str(model), model))
