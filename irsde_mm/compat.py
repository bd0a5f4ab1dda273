"""Everything that lets mmagic 1.2 run on a current PyTorch stack.

Each item names its reason and the versions it is for, and is left out where
it is not needed; no file of another package is edited. ``apply`` has to run
before ``mmagic.utils`` or ``mmagic.models`` is imported (``mmagic.registry``
alone is harmless); ``irsde_mm.registry`` sees to that.
"""
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Optional, Sequence

_applied = False


def apply() -> None:
    """Applies all items, once a process."""
    global _applied
    if _applied:
        return
    _restore_numpy_bool8()
    _stand_in_for_missing_operators()
    _name_our_configs()
    _read_weights_safely()
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


def _name_our_configs() -> None:
    """Lets configs inherit from ours: ``_base_ = 'irsde_mm::...'``.

    Reasons: mmengine knows the packages of OpenMMLab alone. It looks for the
    folder of a distribution of the given name and, failing that, of a module;
    ours is a module's name, because the folder of an editable installation is
    not where its distribution is. And it builds what it inherits in the scope
    of the package; our configs are written in mmagic's.
    Range: mmengine <= 0.10.7.
    """
    from mmengine.config import Config
    from mmengine.config.utils import MODULE2PACKAGE
    MODULE2PACKAGE['irsde_mm'] = 'irsde_mm.version'
    path_and_scope = Config._get_cfg_path

    def in_scope_of_mmagic(cfg_path: str, filename: str) -> tuple:
        path, scope = path_and_scope(cfg_path, filename)
        return path, 'mmagic' if scope == 'irsde_mm' else scope

    Config._get_cfg_path = staticmethod(in_scope_of_mmagic)


def _read_weights_safely() -> None:
    """Lets mmengine read weights files as everything here does.

    Reasons: mmengine leaves it to torch's default whether a file may execute
    code, and that of downloaded files lets them; it knows no safetensors; and
    a resuming Runner executes what a file has in ``meta['config']`` as Python
    (its own files have none any more).
    Range: mmengine <= 0.10.7.
    """
    from urllib.parse import urlparse

    from mmengine.runner import CheckpointLoader, checkpoint
    from torch import hub

    def load_from_local(filename: str, map_location: Any = None) -> dict:
        from .weight_files import read_plain
        content = read_plain(str(Path(filename).expanduser()), map_location)
        if isinstance(content.get('meta'), dict):
            content['meta'].pop('config', None)
        return content

    def load_url(url: str, model_dir: Optional[str] = None,
                 map_location: Any = None, progress: bool = True) -> dict:
        folder = Path(model_dir or Path(hub.get_dir()) / 'checkpoints')
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / Path(urlparse(url).path).name
        if not path.exists():
            hub.download_url_to_file(url, str(path), progress=progress)
        return load_from_local(str(path), map_location)

    CheckpointLoader.register_scheme('', load_from_local, force=True)
    checkpoint.load_url = load_url
