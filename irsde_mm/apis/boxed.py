"""The small trained models that come with this package."""
from pathlib import Path
from typing import Dict

from ..errors import ConfigError
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


def boxed_model(name: str) -> Path:
    """The file of a model in the box.

    Raises:
        ConfigError: If there is none of that name, with those that there are.
    """
    models = boxed_models()
    if name not in models:
        raise ConfigError(f"no model for '{name}' comes with irsde_mm; there "
                          f'are {", ".join(models) or "none"}.')
    return models[name]


def find_boxed(model: str) -> str:
    """The file behind a boxed name; anything else as it is.

    A path that exists is taken for the path even if a model in the box is
    called the same.
    """
    if Path(model).exists():
        return str(model)
    return str(boxed_models().get(str(model), model))
