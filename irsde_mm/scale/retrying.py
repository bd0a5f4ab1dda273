"""Errors that may be gone at the next try."""
import errno
import random
import time
from typing import Callable, TypeVar

from ..errors import IRSDEError

T = TypeVar('T')

#: Longest pause before a further try, in seconds.
LONGEST = 30
#: Errors of a target that concern all photos.
TARGET = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES,
          errno.EPERM}
#: Errors that the same call would raise again.
LASTING = (FileNotFoundError, FileExistsError, PermissionError,
           IsADirectoryError, NotADirectoryError, NotImplementedError,
           ImportError)
NUMBERS = {errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL, errno.ENOSYS}


def is_transient(error: BaseException) -> bool:
    """Return True if an error of reading or writing may be gone at the next
    try.

    The image reader converts the errors of the file system, which remain the
    context of its own.
    """
    if isinstance(error, IRSDEError):
        error = error.__context__
        return isinstance(error, OSError) and error.errno is not None \
            and _may_pass(error)
    return _may_pass(error)


def _may_pass(error: BaseException) -> bool:
    return not isinstance(error, LASTING) and getattr(
        error, 'errno', None) not in NUMBERS


def is_of_target(error: BaseException) -> bool:
    """Return True if an error of writing concerns all photos, such as a full
    disk."""
    return isinstance(error, PermissionError) or getattr(
        error, 'errno', None) in TARGET


def wait(tries: int) -> None:
    """Wait before a further try: longer after each, and not all workers
    equally long."""
    time.sleep(min(0.5 * 2**tries, LONGEST) * random.uniform(0.5, 1))


def persist(call: Callable[[], T], retries: int,
            pause: Callable[[int], None] = wait) -> T:
    """Call a function again while its errors may pass.

    Args:
        call: The function.
        retries (int): Number of further tries.
        pause: Called with the number of tries before each further one.

    Raises:
        Exception: The last error.
    """
    for tries in range(retries + 1):
        try:
            return call()
        except Exception as error:  # each protocol has exceptions of its own
            if tries == retries or not is_transient(error):
                raise
            pause(tries)
    raise AssertionError('unreachable')
