"""What the command-line tools have in common. Imports nothing heavy."""
import argparse
import atexit
import ctypes
import gc
import os
import sys
import warnings
from typing import Callable, Optional, Sequence

from ..errors import (ConfigError, Interrupted, IRSDEError, building,
                      missing_package, user_message)
from ..processes import (end_children, end_with_parent, join_processes,
                         leave_group)

USAGE_ERROR = 2
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # glibc's malloc.h


def run(main: Callable[[argparse.Namespace], None],
        parser: argparse.ArgumentParser,
        arguments: Optional[Sequence[str]] = None) -> None:
    """Parses the command line, or other arguments, and runs a tool.

    What the user can mend ends as one line and exit code 2; ``--debug`` shows
    the whole traceback.
    """
    parser.add_argument('--debug', action='store_true',
                        help='show the traceback of an error')
    try:
        args = parser.parse_args(arguments)
    except (ValueError, RecursionError):  # what DictAction cannot split
        parser.error('--cfg-options takes KEY=VALUE pairs.')
    prepare_process()
    code = 0
    try:
        try:
            main(args)
        finally:
            end_children()
    except Interrupted as stop:
        print(stop, file=sys.stderr)
        code = Interrupted.code
    except (IRSDEError, OSError) as error:
        if args.debug or not user_message(error):
            raise
        print(f'error: {user_message(error)}', file=sys.stderr)
        code = USAGE_ERROR
    except ImportError as error:
        if args.debug or missing_package(error) is None:
            raise
        print(f'error: {missing_package(error)}', file=sys.stderr)
        code = USAGE_ERROR
    except KeyboardInterrupt:
        print('stopped.', file=sys.stderr)
        code = 130
    finally:
        leave_group()
    # not while an exception holds the frames of workers, which would wait
    if code:
        sys.exit(code)


def prepare_process() -> None:
    """What every process of a tool begins with."""
    keep_freed_memory()
    # on exit Python searches all modules for garbage, which takes seconds
    atexit.register(gc.freeze)
    # would let torch execute what weights files bring along
    os.environ.pop('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', None)
    for stream in (sys.stdout, sys.stderr):  # names can be of any bytes
        stream.reconfigure(errors='backslashreplace')
    warnings.formatwarning = lambda message, *_, **__: f'warning: {message}\n'
    # deprecations inside pinned packages, which nobody here can act on
    for module in ('diffusers', 'mmengine', 'mmcv', 'mmagic', 'transformers',
                   'torch', 'albumentations'):
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


def runner_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that train.py and test.py share, named as in mmagic."""
    from mmengine.config import DictAction
    parser.add_argument('--work-dir', help='folder of logs and results')
    data_argument(parser)
    white_argument(parser)
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


def white_argument(parser: argparse.ArgumentParser) -> None:
    """The option for the white level of 16-bit files."""
    parser.add_argument(
        '--white', type=int, metavar='N', help='value of white in image files '
        'with 16 bits a channel, such as 4095 for 12-bit data (default: '
        '65535, with a warning for files that use no more than 14 bits)')


def data_argument(parser: argparse.ArgumentParser) -> None:
    """The option that puts a folder in place of a config's data."""
    parser.add_argument(
        '--data', metavar='FOLDER',
        help="your images in place of the config's data: clean ones, degraded "
        'as the config says, or pairs in input/ and target/; every tenth is '
        'held out unless there are train/ and val/')
    parser.add_argument(
        '--pairs', nargs=2, metavar=('DEGRADED', 'CLEAN'),
        help='how pairs in --data are named, {} for what they have in common '
        "and without extensions: '{}_hazy' '{}_GT' in one folder, 'low/{}' "
        "'high/{}' in two, 'hazy/{}_*' 'clear/{}' several of one clean image")


def use_data(cfg, args: argparse.Namespace) -> None:
    """Lets a config use the data that the options above name.

    Raises:
        ConfigError, DataError: If it cannot.
    """
    from ..config.own_data import use_folder
    if args.data:
        found = use_folder(cfg, args.data, args.pairs,
                           getattr(args, 'cfg_options', {}))
        print(f"'{args.data}': {found}")
    elif args.pairs:
        raise ConfigError('--pairs names files of --data, which is missing.')


def runner_config(args: argparse.Namespace):
    """The config that the options above ask for.

    Raises:
        ConfigError: If it cannot be read.
    """
    from pathlib import Path

    from .. import compat
    from ..config import (complete_config, complete_model, find_config,
                          load_config, set_white)
    from ..config.arguments import check_arguments
    from ..config.checks import warn_of_unused
    from ..config.names import OF_OWN_DATA
    from ..config.unread import check_file
    from ..model_files.checkpoints import is_weights
    compat.apply()
    reads = OF_OWN_DATA if args.data else ()
    if not is_weights(args.config):
        check_file(find_config(args.config), reads)
    cfg = load_config(args.config, args.cfg_options, reads)
    use_data(cfg, args)
    if args.white is not None:
        set_white(cfg, args.white)
    cfg.launcher = args.launcher
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or str(
        Path('work_dirs') / Path(args.config).stem)
    complete_model(cfg, getattr(args, 'tile', None))
    complete_config(cfg)
    check_arguments(cfg)
    with building('the model cannot be built'):
        warn_of_unused(cfg.model)
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    if args.launcher == 'pytorch':
        end_with_parent()
    if args.launcher != 'none':
        join_processes(cfg)
    return cfg
