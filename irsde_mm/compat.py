"""Changes that mmagic 1.2 and mmengine 0.10 need on current releases.

Each item names its reason and the versions that need it. No file of another
package is edited. ``prepare_imports`` must run before ``mmagic.utils`` or
``mmagic.models`` is imported (``mmagic.registry`` alone is safe);
``irsde_mm.registry`` calls it.
"""
import sys
from functools import cache
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec, spec_from_loader
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Callable, Optional, Sequence

from .errors import ConfigError

#: Hooks that mmengine's Runner adds unless they are set to None.
RUNNER_HOOKS = ('runtime_info', 'timer', 'sampler_seed', 'logger',
                'param_scheduler', 'checkpoint')

#: The text-to-image modules of ``mmagic.models`` and the types that configs
#: name in them, networks of diffusers included.
TEXT_TO_IMAGE = {f'mmagic.models.{module}': names for module, names in {
    'archs.attention_injection': ('AttentionInjection', ),
    'editors.animatediff': ('AnimateDiff', 'UNet3DConditionMotionModel'),
    'editors.controlnet': ('ControlStableDiffusion', 'ControlNetModel',
                           'ControlStableDiffusionImg2Img'),
    'editors.disco_diffusion': ('DiscoDiffusion', 'ClipWrapper',
                                'SecondaryDiffusionImageNet2'),
    'editors.dreambooth': ('DreamBooth', ),
    'editors.fastcomposer': ('FastComposer', ),
    'editors.stable_diffusion': ('StableDiffusion', 'StableDiffusionInpaint',
                                 'AutoencoderKL', 'EditAutoencoderKL',
                                 'UNet2DConditionModel'),
    'editors.stable_diffusion_xl': ('StableDiffusionXL', ),
    'editors.textual_inversion': ('TextualInversion', ),
    'editors.vico': ('ViCo', )}.items()}

#: The module of ``mmagic.models`` that imports ``scipy.signal``.
AUGMENTATION = 'mmagic.models.editors.stylegan2.ada.augment'


@cache
def prepare_imports() -> None:
    """Make mmagic importable and our configs inheritable, once per process.

    Programs that use only mmengine are not affected.
    """
    _restore_numpy_bool8()
    _replace_missing_operators()
    _leave_out_text_to_image()
    _import_scipy_signal_late()
    _find_packages_without_pkg_resources()
    _register_our_configs()


@cache
def apply() -> None:
    """Make all changes, including those to mmengine's files and hooks.

    The tools call this. A program that runs mmengine's Runner itself keeps
    mmengine's behavior unless it calls this too. Afterwards, loading a
    checkpoint executes no code, JSON files are strict, and any default hook
    can be None.
    """
    prepare_imports()
    _read_weights_safely()
    _write_plain_json()
    _let_hooks_be_switched_off()


def _restore_numpy_bool8() -> None:
    """Restore the name ``bool8`` in numpy.

    Reason: ``mmagic.utils.trans_utils`` reads it on import.
    Range: numpy >= 2.0 (which removed it) with mmagic <= 1.2.
    """
    import numpy as np
    if 'bool8' not in vars(np):
        np.bool8 = np.bool_


def _replace_missing_operators() -> None:
    """Let ``mmcv.ops`` be imported without mmcv's compiled operators.

    Reason: ``mmagic.models`` imports ``mmcv.ops`` for EDVR, StyleGAN and
    others; mmcv-lite has no compiled ``mmcv._ext``.
    Range: mmcv-lite. With a compiled mmcv the real operators are returned.

    A placeholder module ``mmcv._ext`` would make mmengine treat mmcv as
    complete, so this wraps mmcv's loader instead.
    """
    from mmcv.utils import ext_loader
    load_ext = ext_loader.load_ext

    def load_or_replace(name: str, funcs: Sequence[str]) -> object:
        try:
            return load_ext(name, funcs)
        except ModuleNotFoundError:
            return SimpleNamespace(**{f: _missing_operator(f) for f in funcs})

    ext_loader.load_ext = load_or_replace


def _missing_operator(operator: str) -> Callable:

    def raise_error(*args, **kwargs):
        raise RuntimeError(
            f"the operator '{operator}' needs mmcv's compiled extension: "
            'install mmcv >= 2.1, < 2.2 in place of mmcv-lite (mim install '
            'mmcv).')

    return raise_error


def _leave_out_text_to_image() -> None:
    """Keep mmagic's text-to-image models out of ``mmagic.models``.

    Reason: importing them needs old releases of diffusers and transformers,
    and registering the classes of diffusers fails where it is not installed.
    Nothing here uses them.
    Range: mmagic <= 1.2 with diffusers > 0.28 or transformers > 4.48, or
    without either. They are left out with older releases too, so that the
    registered models do not depend on what is installed.
    """
    sys.meta_path.insert(0, _TextToImageFinder())


class _TextToImageFinder(MetaPathFinder, Loader):
    """Finder and loader of placeholders for the text-to-image modules.

    Each holds, and registers, classes that raise an error when they are
    built.
    """

    def find_spec(self, fullname: str, path: Any = None,
                  target: Any = None) -> Optional[ModuleSpec]:
        if fullname == 'mmagic.models':
            _hide_diffusers()
        if fullname in TEXT_TO_IMAGE:
            return spec_from_loader(fullname, self)
        return None

    def exec_module(self, module: ModuleType) -> None:
        from mmagic.registry import MODELS
        for name in TEXT_TO_IMAGE[module.__name__]:
            cls = _left_out(name, module.__name__)
            setattr(module, name, cls)
            MODELS.register_module(module=cls)


def _left_out(name: str, module: str) -> type:

    def raise_error(self, *args, **kwargs):
        raise ConfigError(
            f"{name} is one of mmagic's text-to-image models, which irsde_mm "
            'disables; use mmagic without irsde_mm, with diffusers < 0.29 and '
            'transformers < 4.49.')

    return type(name, (), dict(__init__=raise_error, __module__=module))


def _hide_diffusers() -> None:
    """Let mmagic find an empty diffusers, of which it registers nothing."""
    from mmagic import utils
    try_import = utils.try_import
    empty = ModuleType('diffusers')
    for name in ('models', 'pipelines', 'schedulers'):
        setattr(empty, name, ModuleType(f'diffusers.{name}'))

    def try_import_but_diffusers(name: str) -> Optional[ModuleType]:
        return empty if name == 'diffusers' else try_import(name)

    utils.try_import = try_import_but_diffusers


def _import_scipy_signal_late() -> None:
    """Import ``scipy.signal`` only when an augmentation of StyleGAN2 is built.

    Reason: ``mmagic.models`` imports it for this class alone, which takes a
    fifth of the time to import the models.
    Range: mmagic <= 1.2; scipy >= 1.9, whose submodules load on first use.
    """
    sys.meta_path.insert(0, _AugmentationFinder())


class _AugmentationFinder(MetaPathFinder):

    def find_spec(self, fullname: str, path: Any = None,
                  target: Any = None) -> Optional[ModuleSpec]:
        if fullname != AUGMENTATION or 'scipy.signal' in sys.modules:
            return None
        spec = PathFinder.find_spec(fullname, path)
        if spec is not None:
            spec.loader = _AugmentationLoader(fullname, spec.origin)
        return spec


class _AugmentationLoader(SourceFileLoader):
    """Loader of a module that finds an empty ``scipy.signal``."""

    def exec_module(self, module: ModuleType) -> None:
        sys.modules['scipy.signal'] = ModuleType('scipy.signal')
        try:
            super().exec_module(module)
        finally:
            del sys.modules['scipy.signal']


def _find_packages_without_pkg_resources() -> None:
    """Let mmengine find installed packages with importlib.

    Reason: it imports ``pkg_resources`` to find the configs of a package.
    Range: mmengine <= 0.10.7 with setuptools >= 82 (which removed it).
    """
    from mmengine.config.utils import MODULE2PACKAGE

    def module_of(package: str) -> str:
        names = {name: module for module, name in MODULE2PACKAGE.items()}
        return names.get(package, package)

    def is_installed(package: str) -> bool:
        try:
            return distribution(package) is not None
        except PackageNotFoundError:
            return find_spec(module_of(package)) is not None

    def get_installed_path(package: str) -> str:
        spec = find_spec(module_of(package))
        if spec is None or spec.origin is None:
            raise PackageNotFoundError(package)
        return str(Path(spec.origin).parent)

    # every module that refers to them; hub.hub may not be loaded yet
    for name in ('utils', 'utils.package_utils', 'config.config', 'hub.hub'):
        if module := sys.modules.get(f'mmengine.{name}'):
            module.is_installed = is_installed
            module.get_installed_path = get_installed_path


def _register_our_configs() -> None:
    """Let configs inherit from ours with ``_base_ = 'irsde_mm::...'``.

    Reasons: mmengine looks up only packages of OpenMMLab. It also builds
    inherited fields in the scope of the package, but our configs are written
    in the scope of mmagic.
    Range: mmengine <= 0.10.7.
    """
    from mmengine.config import Config
    from mmengine.config.utils import MODULE2PACKAGE
    MODULE2PACKAGE['irsde_mm'] = 'irsde_mm'
    get_path_and_scope = Config._get_cfg_path

    def in_scope_of_mmagic(cfg_path: str, filename: str) -> tuple:
        path, scope = get_path_and_scope(cfg_path, filename)
        return path, 'mmagic' if scope == 'irsde_mm' else scope

    Config._get_cfg_path = staticmethod(in_scope_of_mmagic)


def _read_weights_safely() -> None:
    """Make mmengine read checkpoints with our reader.

    Reasons: mmengine leaves it to torch's default whether a checkpoint may
    execute code, and explicitly allows it for downloaded ones. It cannot read
    safetensors. When it resumes, the Runner executes ``meta['config']`` of
    the checkpoint as Python (mmengine's own checkpoints no longer need that).
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
    """Make mmengine write logs and metrics as strict JSON.

    Reason: it writes ``Infinity`` and ``NaN``, which are not JSON, for
    example for the PSNR of equal images or a loss that diverged; see
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
    """Let ``default_hooks = dict(NAME=None)`` switch off any hook.

    Reason: mmengine's Runner accepts None for its own hooks only and fails
    an assertion for others, such as those that our tools add.
    Range: mmengine <= 0.10.7.
    """
    from mmengine.runner import Runner
    register = Runner.register_default_hooks

    def register_default_hooks(self, hooks: Optional[dict] = None) -> None:
        register(self, {name: hook for name, hook in (hooks or {}).items()
                        if hook is not None or name in RUNNER_HOOKS})

    Runner.register_default_hooks = register_default_hooks
