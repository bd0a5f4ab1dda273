"""Everything that lets mmagic 1.2 run on a current PyTorch stack.

Each item names its reason and the versions it is for, and is left out where
it is not needed; no file of another package is edited. ``prepare_imports`` has
to run before ``mmagic.utils`` or ``mmagic.models`` is imported
(``mmagic.registry`` alone is harmless); ``irsde_mm.registry`` sees to that.
"""
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Optional, Sequence

#: The hooks that mmengine's Runner adds if they are not switched off.
RUNNER_HOOKS = ('runtime_info', 'timer', 'sampler_seed', 'logger',
                'param_scheduler', 'checkpoint')


@cache
def prepare_imports() -> None:
    """Makes mmagic importable and our configs inheritable, once a process.

    Changes nothing that a program of mmengine alone would notice.
    """
    _restore_numpy_bool8()
    _stand_in_for_missing_operators()
    _name_our_configs()


@cache
def apply() -> None:
    """Also changes how mmengine reads and writes files and takes hooks.

    Our tools call it. A program that runs mmengine's Runner itself has
    mmengine's own behaviour unless it does too: then weights files execute
    nothing, JSON files are strict, and any default hook can be None.
    """
    prepare_imports()
    _read_weights_safely()
    _write_plain_json()
    _let_hooks_be_switched_off()


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
        from .model_files.checkpoints import read_content
        content = read_content(str(Path(filename).expanduser()), map_location)
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


def _write_plain_json() -> None:
    """Makes mmengine write logs and scores that every JSON reader accepts.

    Reason: it writes ``Infinity`` and ``NaN``, which JSON does not have, for
    the PSNR of equal images or a loss that diverged; see
    :mod:`irsde_mm.io.plain_json`.
    Range: mmengine <= 0.10.7.
    """
    from mmengine.fileio import register_handler
    from mmengine.fileio.handlers.json_handler import JsonHandler, set_default

    from .io.plain_json import to_json

    @register_handler('json')
    class PlainJsonHandler(JsonHandler):

        def dump_to_fileobj(self, obj: Any, file: Any, **kwargs) -> None:
            file.write(self.dump_to_str(obj, **kwargs))

        def dump_to_str(self, obj: Any, **kwargs) -> str:
            return to_json(obj, **{'default': set_default, **kwargs})


def _let_hooks_be_switched_off() -> None:
    """Lets ``default_hooks = dict(NAME=None)`` switch off any hook.

    Reason: mmengine's Runner takes None for its own hooks and asserts for
    others, such as those that our tools add.
    Range: mmengine <= 0.10.7.
    """
    from mmengine.runner import Runner
    register = Runner.register_default_hooks
    def register_default_hooks(self, hooks: Optional[dict] = None) -> None:
        register(self, {name: hook for name, hook in (hooks or {}).items()
                        if hook is not None or name in RUNNER_HOOKS})

    Runner.register_default_hooks = register_default_hooks
