"""The trained models that come with this package."""
from pathlib import Path
from typing import Dict

from ..errors import ConfigError
from .exported import EXPORTED

WEIGHTS = Path(__file__).parents[1] / 'weights'


def bundled_models() -> Dict[str, Path]:
    """The bundled models by name, each an exported file.

    A card beside each, ``NAME.md``, says what it was trained on and by which
    config, how well it restores, where it fails, and under what terms it may
    be used.

    Returns:
        dict[str, Path]: Names, such as those of the tasks, and files.
    """
    return {path.stem: path
            for path in sorted(WEIGHTS.glob(f'[!.]*{EXPORTED}'))}


def bundled_model(name: str) -> Path:
    """The file of a bundled model.

    Raises:
        ConfigError: If no model has that name; lists those available.
    """
    models = bundled_models()
    if name not in models:
        raise ConfigError(f"no model for '{name}' comes with irsde_mm; there "
                          f'are {", ".join(models) or "none"}.')
    return models[name]


def find_bundled(model: str) -> str:
    """The file of a bundled model's name; anything else unchanged.

    A path that exists wins over a bundled model of that name.
    """
    if Path(model).exists():
        return str(model)
    return str(bundled_models().get(str(model), model))
