"""Pretrained models bundled with this package."""
from pathlib import Path
from typing import Dict

from ..errors import ConfigError
from .exported import EXPORTED

WEIGHTS = Path(__file__).parents[1] / 'weights'


def bundled_models() -> Dict[str, Path]:
    """List the bundled models, which are exported files.

    The model card next to each file, ``NAME.md``, describes the training data
    and config, the scores, the limitations and the terms of use.

    Returns:
        dict[str, Path]: Files by model name.
    """
    return {path.stem: path
            for path in sorted(WEIGHTS.glob(f'[!.]*{EXPORTED}'))}


def bundled_model(name: str) -> Path:
    """Return the file of a bundled model.

    Raises:
        ConfigError: If there is no such model. The message lists the
            available models.
    """
    models = bundled_models()
    if name not in models:
        raise ConfigError(f"no bundled model '{name}'; available models: "
                          f'{", ".join(models) or "none"}.')
    return models[name]


def find_bundled(model: str) -> str:
    """Resolve the name of a bundled model to its file.

    Any other value is returned unchanged. An existing path takes precedence
    over a bundled model with the same name.
    """
    if Path(model).exists():
        return str(model)
    return str(bundled_models().get(str(model), model))
