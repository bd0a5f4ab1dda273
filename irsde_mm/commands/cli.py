"""Shared code of the command-line tools, without slow imports."""
import argparse
import atexit
import gc
import os
import sys
import warnings
from typing import Any, Callable, Dict, List, Optional, Sequence

from ..errors import (ConfigError, Interrupted, IRSDEError, building,
                      missing_package, user_message)
from ..processes import (end_children, end_with_parent, join_processes,
                         keep_freed_memory, leave_group, plain_warnings)

USAGE_ERROR = 2


def run(main: Callable[[argparse.Namespace], None],
        parser: argparse.ArgumentParser,
        arguments: Optional[Sequence[str]] = None) -> None:
    """Parse the arguments and run a tool.

    Errors that the user can fix are printed as one line, with exit code 2;
    ``--debug`` shows the full traceback instead.

    Args:
        main (callable): Called with the parsed arguments.
        parser (ArgumentParser): Parser of the tool.
        arguments (Sequence[str], optional): Arguments, by default those of
            the command line.
    """
    parser.add_argument('--debug', action='store_true',
                        help='show the traceback of errors')
    try:
        args = parser.parse_args(arguments)
    except (ValueError, RecursionError):  # raised by DictAction
        parser.error('--cfg-options takes KEY=VALUE pairs.')
    prepare_process()
    code = 0
    try:
        try:
            main(args)
            sys.stdout.flush()
        finally:
            end_children()
    except Interrupted as stop:
        print(stop, file=sys.stderr)
        code = Interrupted.code
    except (IRSDEError, OSError) as error:
        if isinstance(error, BrokenPipeError) and reader_left():
            code = 1
        elif args.debug or not user_message(error):
            raise
        else:
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
    # exit only here: while an exception is handled, it references the data
    # workers, and exiting would wait for them
    if code:
        sys.exit(code)


def reader_left() -> bool:
    """Whether the reader of the output, such as ``head``, has ended.

    If so, the rest of the output is dropped, also while Python exits.
    """
    try:
        print(flush=True)  # other pipes can break, too
    except BrokenPipeError:
        with open(os.devnull, 'w') as nothing:
            os.dup2(nothing.fileno(), sys.stdout.fileno())
        return True
    return False


def prepare_process() -> None:
    """Configure the process of a tool: memory, streams and warnings."""
    keep_freed_memory()
    # skips Python's final garbage collection, which takes seconds
    atexit.register(gc.freeze)
    # this variable would let torch execute code in weights files
    os.environ.pop('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', None)
    for stream in (sys.stdout, sys.stderr):  # file names can be any bytes
        stream.reconfigure(errors='backslashreplace')
    plain_warnings()
    # users cannot fix deprecations inside dependencies
    for module in ('diffusers', 'mmengine', 'mmcv', 'mmagic', 'transformers',
                   'torch', 'albumentations'):
        warnings.filterwarnings('ignore', module=module)


def runner_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that train.py and test.py share, named as in mmagic."""
    from mmengine.config import DictAction
    parser.add_argument('--work-dir', help='directory for logs and results')
    data_argument(parser)
    white_argument(parser)
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, default={},
        metavar='KEY=VALUE',
        help='override config fields, such as model.sde.max_sigma=0.1')
    parser.add_argument(
        '--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none', help='job launcher')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0,
                        help=argparse.SUPPRESS)


def sampler_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that select the sampler."""
    parser.add_argument(
        '--sampler', metavar='NAME', help='a preset: fast (1 or 5 network '
        'calls), balanced (3 or 10), paper (all); or a sampler: posterior, '
        'sde, ode, jump, multistep, dpm, unipc, ... (default: that of the '
        'model)')
    parser.add_argument('--steps', type=int,
                        help='number of network calls per image')


def tile_argument(parser: argparse.ArgumentParser) -> None:
    """Add the option for tiling large images."""
    def tile(text: str):
        return int(text) if text.isdigit() else text

    parser.add_argument(
        '--tile', type=tile, metavar='auto|N|off', help='process large images '
        'in tiles of at most N pixels per side, whole (off), or depending on '
        'the free memory (auto); default: the setting of the model, or auto')


def white_argument(parser: argparse.ArgumentParser) -> None:
    """Add the option for the white level of 16-bit files."""
    parser.add_argument(
        '--white', type=int, metavar='N', help='white level of image files '
        'with 16 bits per channel, such as 4095 for 12-bit data (default: '
        '65535, with a warning for files that use at most 14 bits)')


def given_options(args: argparse.Namespace, defaults: Dict[str, Any],
                  free: Sequence[str]) -> List[str]:
    """Return the options that were given and are not among the free ones.

    Args:
        args (Namespace): The options of a command.
        defaults (dict): Their values if they are not given.
        free (Sequence[str]): Names of options to leave out.
    """
    return [f'--{name.replace("_", "-")}' for name, value
            in vars(args).items()
            if name not in free and value != defaults[name]]


def self_ensemble_argument(parser: argparse.ArgumentParser) -> None:
    """Add the option for the number of flipped copies."""
    parser.add_argument(
        '--self-ensemble', type=int, metavar='N', help='average each network '
        'call over N flipped copies of the photo (1, 2, 4 or 8), which takes '
        'N times as long and reduces errors (default: that of the model)')


def data_argument(parser: argparse.ArgumentParser) -> None:
    """Add the options that replace a config's data by a folder."""
    parser.add_argument(
        '--data', metavar='FOLDER',
        help="use the images in FOLDER instead of the config's data: clean "
        'images, which are degraded as in the config, or pairs in input/ and '
        'target/; every tenth image is held out unless FOLDER has train/ and '
        'val/')
    pairs_argument(parser)


def pairs_argument(parser: argparse.ArgumentParser) -> None:
    """Add the option for the names of pairs."""
    parser.add_argument(
        '--pairs', nargs=2, metavar=('DEGRADED', 'CLEAN'),
        help='name patterns of the pairs in --data, without extensions, where '
        "{} is the common part: '{}_hazy' '{}_GT' in one folder, 'low/{}' "
        "'high/{}' in two folders, 'hazy/{}_*' 'clear/{}' for several "
        'degraded versions of each clean image')


def use_data(cfg, args: argparse.Namespace) -> None:
    """Replace the data of a config according to ``--data`` and ``--pairs``.

    Raises:
        ConfigError, DataError: If the data cannot be used.
    """
    from ..config.own_data import use_folder
    if args.data:
        found = use_folder(cfg, args.data, args.pairs,
                           getattr(args, 'cfg_options', {}))
        print(f"'{args.data}': {found}")
    elif args.pairs:
        raise ConfigError('--pairs requires --data.')


def runner_config(args: argparse.Namespace):
    """Load the config, apply the options to it, and join the process group.

    Raises:
        ConfigError: If the config is invalid or cannot be read.
    """
    from pathlib import Path

    from .. import compat
    from ..config import (complete_config, complete_model, find_config,
                          load_config, set_white)
    from ..config.arguments import check_arguments
    from ..config.checks import warn_of_unused
    from ..config.names import OWN_DATA_NAMES
    from ..config.unread import check_file
    from ..model_files.checkpoints import is_weights
    compat.apply()
    reads = OWN_DATA_NAMES if args.data else ()
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
