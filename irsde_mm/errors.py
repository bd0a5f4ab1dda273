"""Errors that are about the input, for the person at the keyboard.

Tools print these in a line or two and exit with 2; each is also the built-in
exception that a caller would expect.
"""
import errno
from contextlib import contextmanager
from typing import Iterator, List, Optional

#: Problems that one message lists.
SHOWN = 10


class IRSDEError(Exception):
    """Base of all errors that are about the input, not about a defect."""


class ConfigError(IRSDEError, ValueError):
    """A config is missing, cannot be read, or asks for the impossible."""


class CheckpointError(IRSDEError, ValueError):
    """A checkpoint is missing, is none, or does not fit the model."""


class DataError(IRSDEError, ValueError):
    """A data folder or an image is missing, broken or of another form."""


class ImageError(DataError):
    """One image file cannot be used; others may be."""


class OutputError(IRSDEError, OSError):
    """Something cannot be written, or would overwrite what is there."""


class TrainingError(IRSDEError, RuntimeError):
    """Training went wrong in a way that going on cannot mend."""


class Interrupted(IRSDEError):
    """Training was asked to stop, and did after saving."""

    #: Exit code of tools: EX_TEMPFAIL, "try again later".
    code = 75


def user_message(error: Exception) -> str:
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


#: Packages that come with an extra of this one.
EXTRAS = dict(mmengine='train,lite', mmcv='train,lite', mmagic='train,lite',
              torchvision='train,lite', pandas='train,lite',
              matplotlib='train,lite', lmdb='train,lite',
              diffusers='diffusers', gradio='app,lite')


def missing_package(error: ImportError) -> Optional['ConfigError']:
    """How to get a package that is not installed; None for others."""
    name = (error.name or '').partition('.')[0]
    if name not in EXTRAS:
        return None
    return ConfigError(f"this needs {name}, which is not installed: pip "
                       f"install 'irsde-mm[{EXTRAS[name]}]'.")


def listed(problems: List[str], where: str) -> DataError:
    """One error for all problems of a folder, the first ten by name."""
    more = len(problems) - SHOWN
    return DataError(f"{len(problems)} problem(s) in '{where}': "
                     + '; '.join(text.rstrip('.') for text in problems[:SHOWN])
                     + (f'; and {more} more.' if more > 0 else '.'))


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
