"""Everything that lets mmagic 1.2 run on a current PyTorch stack.

Each item names its reason and the versions it is for, and is left out where
it is not needed; no file of another package is edited. ``apply`` has to run
before ``mmagic.utils`` or ``mmagic.models`` is imported (``mmagic.registry``
alone is harmless); ``irsde_mm.registry`` sees to that.
"""
from types import SimpleNamespace
from typing import Callable, Sequence

_applied = False


def apply() -> None:
    """Applies all items, once a process."""
    global _applied
    if _applied:
        return
    _restore_numpy_bool8()
    _stand_in_for_missing_operators()
    _applied = True


def _restore_numpy_bool8() -> None:
    """Gives numpy back the name ``bool8``.

    Reason: ``mmagic.utils.trans_utils`` reads it on import.
    Range: numpy >= 2.0 (which removed it) with mmagic <= 1.2.
    """
    import numpy as np
    if 'bool8' not in vars(np):
        np.bool8 = np.bool_


def _stand_in_for_missing_operators() -> None:
    """Lets ``mmcv.ops`` be imported without mmcv's compiled operators.

    Reason: ``mmagic.models`` imports ``mmcv.ops`` for EDVR, StyleGAN and
    others; mmcv-lite has no compiled ``mmcv._ext``.
    Range: mmcv-lite. With a compiled mmcv the real operators are returned.
    (A made-up ``mmcv._ext`` module would make mmengine believe that mmcv is
    complete, hence the wrapper around its loader.)
    """
    from mmcv.utils import ext_loader
    load_ext = ext_loader.load_ext

    def load_or_stand_in(name: str, funcs: Sequence[str]) -> object:
        try:
            return load_ext(name, funcs)
        except ModuleNotFoundError:
            return SimpleNamespace(**{f: _missing(f) for f in funcs})

    ext_loader.load_ext = load_or_stand_in


def _missing(operator: str) -> Callable:

    def raise_error(*args, **kwargs):
        raise RuntimeError(
            f"the operator '{operator}' needs mmcv's compiled extension: "
            'install mmcv >= 2.1, < 2.2 in place of mmcv-lite (mim install '
            'mmcv).')

    return raise_error
