"""Image restoration with mean-reverting SDEs, in OpenMMLab's registries."""
from .version import __version__

__all__ = ['__version__']
