"""What the command-line tools have in common. Imports nothing heavy."""
import argparse
import ctypes
import errno
import os
import sys
import warnings
from contextlib import contextmanager
from typing import Callable, Iterator, Optional, Sequence

from .errors import ConfigError, Interrupted, IRSDEError
from .processes import end_with_launcher, join_processes, leave_group

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
    except ValueError:  # what mmengine's DictAction cannot split
        parser.error('--cfg-options takes KEY=VALUE pairs.')
    prepare_process()
    code = 0
    try:
        main(args)
    except Interrupted as stop:
        print(stop, file=sys.stderr)
        code = Interrupted.code
    except (IRSDEError, OSError) as error:
        if args.debug or not own_words(error):
            raise
        print(f'error: {own_words(error)}', file=sys.stderr)
        code = USAGE_ERROR
    except KeyboardInterrupt:
        print('stopped.', file=sys.stderr)
        code = 130
    finally:
        leave_group()
    # not while an exception holds the frames of workers, which would wait
    if code:
        sys.exit(code)


def own_words(error: Exception) -> str:
    """What to say; nothing about an OSError that is no lack of room. An error
    from a data worker brings the worker's whole traceback along in its text:
    the message alone."""
    text = str(error)
    if not isinstance(error, IRSDEError):
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        return f'no room to write: {text}.' if full else ''
    if 'Original Traceback' in text:
        text = text.strip().splitlines()[-1].split('Error: ', 1)[-1]
    return text


def prepare_process() -> None:
    """What every process of a tool begins with."""
    keep_freed_memory()
    # would let torch execute what weights files bring along
    os.environ.pop('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', None)
    for stream in (sys.stdout, sys.stderr):  # names can be of any bytes
        stream.reconfigure(errors='backslashreplace')
    warnings.formatwarning = lambda message, *_, **__: f'warning: {message}\n'
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
    from pathlib import Path

    from .apis.configs import complete_config, complete_model, load_config
    cfg = load_config(args.config, args.cfg_options)
    if args.data:
        from .apis.own_data import use_folder
        print(f"'{args.data}': {use_folder(cfg, args.data)}")
    cfg.launcher = args.launcher
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or str(
        Path('work_dirs') / Path(args.config).stem)
    complete_model(cfg, getattr(args, 'tile', None))
    complete_config(cfg)
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    if args.launcher == 'pytorch':
        end_with_launcher()
    if args.launcher != 'none':
        join_processes(cfg)
    return cfg
