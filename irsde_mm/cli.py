"""What the command-line tools have in common. Imports nothing heavy."""
import argparse
import ctypes
import sys
import warnings
from contextlib import contextmanager
from typing import Callable, Iterator

from .errors import ConfigError, IRSDEError
from .processes import use_gloo_without_gpu

USAGE_ERROR = 2
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # glibc's malloc.h


def run(main: Callable[[argparse.Namespace], None],
        parser: argparse.ArgumentParser) -> None:
    """Parses the command line and runs a tool.

    What the user can mend ends as one line and exit code 2; ``--debug`` shows
    the whole traceback.
    """
    parser.add_argument('--debug', action='store_true',
                        help='show the traceback of an error')
    try:
        args = parser.parse_args()
    except ValueError:  # what mmengine's DictAction cannot split
        parser.error('--cfg-options takes KEY=VALUE pairs.')
    prepare_process()
    try:
        main(args)
    except IRSDEError as error:
        if args.debug:
            raise
        print(f'error: {own_words(error)}', file=sys.stderr)
        sys.exit(USAGE_ERROR)
    except KeyboardInterrupt:
        print('stopped.', file=sys.stderr)
        sys.exit(130)


def own_words(error: IRSDEError) -> str:
    """The message alone; an error from a data worker brings the worker's
    whole traceback along in its text."""
    text = str(error)
    if 'Original Traceback' in text:
        text = text.strip().splitlines()[-1].split('Error: ', 1)[-1]
    return text


def prepare_process() -> None:
    """What every process of a tool begins with."""
    keep_freed_memory()
    # deprecations inside pinned packages, which nobody here can act on
    for module in ('diffusers', 'mmengine', 'mmcv', 'mmagic', 'controlnet_aux',
                   'transformers', 'torch', 'timm', 'albumentations',
                   'facexlib'):
        warnings.filterwarnings('ignore', module=module)


def keep_freed_memory() -> None:
    """Lets glibc keep the memory of one network call for the next.

    By default it hands large blocks back to the kernel and has every page
    faulted in anew, which made a call of the quickstart network at 256x256
    take 65 in place of 38 ms on a CPU. Elsewhere than with glibc nothing is
    done.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    for parameter in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD):
        mallopt(parameter, 2**30)


@contextmanager
def building(what: str) -> Iterator[None]:
    """Turns what a config can do wrong while it is built into a ConfigError.

    Only around building: an exception from a running job is a defect and
    keeps its traceback.
    """
    try:
        yield
    except IRSDEError:
        raise
    except (KeyError, ValueError, TypeError, AttributeError, AssertionError,
            ImportError, OSError) as error:
        # str() of a KeyError is quoted, of an OSError complete
        text = error.args[0] if isinstance(error, KeyError) else error
        text = str(text) or type(error).__name__
        text = text.split(' More details can be found')[0]
        raise ConfigError(f'{what}: {text}') from error


def runner_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that train.py and test.py share, named as in mmagic."""
    from mmengine.config import DictAction
    parser.add_argument('--work-dir', help='folder of logs and results')
    data_argument(parser)
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, default={},
        metavar='KEY=VALUE',
        help='settings that override the config, such as '
        'model.sde.max_sigma=0.1')
    parser.add_argument(
        '--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none', help='job launcher')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0,
                        help=argparse.SUPPRESS)


def sampler_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that choose how a diffusion model walks back."""
    parser.add_argument(
        '--sampler', metavar='NAME', help='preset: fast (5 network calls), '
        'balanced (10), paper (all); or posterior, sde, ode, jump, multistep, '
        "dpm, unipc, ...; by default the model's own")
    parser.add_argument('--steps', type=int, help='network calls per image')


def tile_argument(parser: argparse.ArgumentParser) -> None:
    """The option that says how large images are cut."""
    def tile(text: str):
        return int(text) if text.isdigit() else text

    parser.add_argument(
        '--tile', type=tile, metavar='auto|N|off', help='how the network is '
        'shown large images: in tiles of at most N pixels a side, whole, or '
        'as the free memory allows; by default as the config says, which is '
        'auto if it says nothing')


def data_argument(parser: argparse.ArgumentParser) -> None:
    """The option that puts a folder in place of a config's data."""
    parser.add_argument(
        '--data', metavar='FOLDER',
        help="your images in place of the config's data: clean ones, degraded "
        'as the config says, or pairs in input/ and target/; every tenth is '
        'held out unless there are train/ and val/')


def runner_config(args: argparse.Namespace):
    """The config that the options above ask for.

    Raises:
        ConfigError: If it cannot be read.
    """
    import os
    from pathlib import Path

    from .apis.configs import complete_hooks, complete_model, load_config
    cfg = load_config(args.config, args.cfg_options)
    if args.data:
        from .apis.own_data import use_folder
        print(f"'{args.data}': {use_folder(cfg, args.data)}")
    cfg.launcher = args.launcher
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or str(
        Path('work_dirs') / Path(args.config).stem)
    complete_model(cfg, getattr(args, 'tile', None))
    complete_hooks(cfg)
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    if args.launcher != 'none':
        use_gloo_without_gpu(cfg)
    return cfg


def check_data(cfg, *names: str) -> None:
    """Looks for the data of some dataloaders, before anything is built.

    Only datasets that can be built without reading (mmengine's
    ``lazy_init``); others say what is missing when the Runner builds them.

    Args:
        cfg: The config.
        names (str): Of 'train', 'val' and 'test'.
    """
    import inspect

    from mmengine.dataset import BaseDataset
    from mmengine.registry import DATASETS, DefaultScope
    with DefaultScope.overwrite_default_scope(
            cfg.get('default_scope', 'mmagic')):
        for name in names:
            loaders = cfg.get(f'{name}_dataloader') or []
            for loader in loaders if isinstance(loaders, list) else [loaders]:
                with DATASETS.switch_scope_and_registry(None) as node:
                    cls = node.get(loader['dataset']['type'])
                if cls is not None and not (
                        inspect.isclass(cls) and issubclass(cls, BaseDataset)
                        and {'lazy_init', 'kwargs'} & set(
                            inspect.signature(cls).parameters)):
                    continue
                DATASETS.build(dict(loader['dataset'], lazy_init=True))


def try_data(model, loop) -> None:
    """Takes the first sample of a loop's datasets, so that what is wrong with
    masks, depth maps or noise levels is said before hours of training.

    Raises:
        DataError: From the pipeline.
        ValueError: If the model cannot start from the noise level.
    """
    loaders = getattr(loop, 'dataloaders', None) or [loop.dataloader]
    sde = getattr(model, 'sde', None)
    for loader in loaders:
        sample = loader.dataset[0].get('data_samples', {})
        if not hasattr(sde, 'start_time'):
            continue
        sigma = sample.get('sigma', (model.test_cfg or {}).get('sigma'))
        if sigma != 'estimate':
            sde.start(None, sigma=sigma)


def check_types(cfg) -> None:
    """Finds optimizers and schedules of an unknown type: the Runner would
    stumble over them after everything else was built.

    Raises:
        ConfigError: Naming the type.
    """
    from mmengine.registry import (OPTIM_WRAPPERS, OPTIMIZERS,
                                   PARAM_SCHEDULERS, DefaultScope)
    schedulers = cfg.get('param_scheduler') or []
    schedulers = schedulers if isinstance(schedulers, list) else [schedulers]
    wanted = [(PARAM_SCHEDULERS, s) for s in schedulers if 'type' in s]
    wrapper = cfg.get('optim_wrapper') or {}
    wanted += [(OPTIM_WRAPPERS, wrapper)] if 'type' in wrapper else []
    wanted += [(OPTIMIZERS, w['optimizer'])
               for w in (wrapper, *wrapper.values())
               if isinstance(w, dict) and 'optimizer' in w]
    with DefaultScope.overwrite_default_scope(
            cfg.get('default_scope', 'mmagic')):
        for registry, component in wanted:
            with registry.switch_scope_and_registry(None) as node:
                if node.get(component['type']) is None:
                    raise ConfigError(f"there is no {registry.name} "
                                      f"'{component['type']}'.")
