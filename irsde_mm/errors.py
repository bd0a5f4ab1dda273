"""Errors that the user can fix.

Tools print them in one or two lines and exit with code 2. Each class also
derives from the built-in exception that a caller would expect.
"""
import errno
from contextlib import contextmanager
from typing import Iterator, List, Optional

#: Maximum number of problems listed in one message.
SHOWN = 10


class IRSDEError(Exception):
    """Base class of all errors caused by the input rather than by a bug."""


class ConfigError(IRSDEError, ValueError):
    """A config is missing, unreadable or invalid."""


class CheckpointError(IRSDEError, ValueError):
    """A checkpoint is missing, invalid, or does not match the model."""


class DataError(IRSDEError, ValueError):
    """A data folder or an image is missing, broken or in the wrong format."""


class ImageError(DataError):
    """A single image cannot be used; others may still be usable."""


class OutputError(IRSDEError, OSError):
    """An output cannot be written, or would overwrite an existing file."""


class TrainingError(IRSDEError, RuntimeError):
    """Training failed in a way that it cannot recover from."""


class Interrupted(IRSDEError):
    """Training stopped on request, after saving a checkpoint."""

    #: Exit code of tools: EX_TEMPFAIL, "try again later".
    code = 75


def user_message(error: Exception) -> str:
    """Return the message to print for an error.

    For an OSError, this is '' unless the disk or quota is full or the file
    is too large. The text of an error raised in a data worker contains the
    worker's traceback; only its last line is returned.
    """
    text = str(error)
    if not isinstance(error, IRSDEError):
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        return f'no room to write: {text}.' if full else ''
    if 'Original Traceback' in text:
        text = text.strip().splitlines()[-1].split('Error: ', 1)[-1]
    return text


#: Packages that extras of this package install, with the extras.
EXTRAS = dict(mmengine='train,lite', mmcv='train,lite', mmagic='train,lite',
              torchvision='train,lite', pandas='train,lite',
              matplotlib='train,lite', lmdb='train,lite',
              diffusers='diffusers', gradio='app,lite',
              huggingface_hub='hub', imageio_ffmpeg='video',
              spandrel='spandrel', onnx='onnx', onnxscript='onnx',
              onnxruntime='onnx', pyiqa='pyiqa', ray='ray', s3fs='s3')


def missing_package(error: ImportError) -> Optional['ConfigError']:
    """Return an error that says how to install a missing package.

    Returns:
        ConfigError, or None if no extra installs the package.
    """
    name = (error.name or '').partition('.')[0]
    if name not in EXTRAS:
        return None
    return ConfigError(f'{name} is required but not installed: run pip '
                       f"install 'irsde-mm[{EXTRAS[name]}]'.")


def listed(problems: List[str], where: str) -> DataError:
    """Return one error for all problems in a folder, listing the first ten."""
    more = len(problems) - SHOWN
    return DataError(f"{len(problems)} problem(s) in '{where}': "
                     + '; '.join(text.rstrip('.') for text in problems[:SHOWN])
                     + (f'; and {more} more.' if more > 0 else '.'))


@contextmanager
def building(what: str) -> Iterator[None]:
    """Convert exceptions raised while building from a config to ConfigError.

    Use this only around building: an exception raised by a running job is a
    bug and must keep its traceback.

    Args:
        what (str): Start of the message, such as 'the model cannot be built'.
    """
    try:
        yield
    except IRSDEError:
        raise
    except (KeyError, ValueError, TypeError, AttributeError, AssertionError,
            ImportError, OSError) as error:
        # str() quotes the message of a KeyError, and is the only complete
        # message of an OSError
        text = error.args[0] if isinstance(error, KeyError) else error
        text = str(text) or type(error).__name__
        text = text.split(' More details can be found')[0]
        raise ConfigError(f'{what}: {text}') from error
