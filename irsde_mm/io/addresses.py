"""Files at local paths and fsspec addresses, and patterns of them."""
import glob
import itertools
import re
from contextlib import contextmanager
from typing import Any, Iterator, List, Sequence, Tuple, Union

from ..errors import ConfigError, DataError, IRSDEError, missing_package

BRACES = re.compile(r'\{([^{}]*)\}')
RANGE = re.compile(r'(\d+)\.\.(\d+)')
WILDCARDS = re.compile(r'[*?]')


def filesystem(url: str) -> Tuple[Any, str]:
    """Return fsspec's file system of an address, and the path in it.

    fsspec caches file systems per process, so this is cheap and safe after a
    fork.
    """
    from fsspec.core import url_to_fs
    return url_to_fs(url)


def is_local(url: str) -> bool:
    """Return True for a path, which has no protocol."""
    return '://' not in url


@contextmanager
def reaching(address: str) -> Iterator[None]:
    """Turn the errors of an address into one line.

    Raises:
        ConfigError: If the package of the protocol is missing, or the
            protocol unknown.
        DataError: With the address and the reason.
    """
    try:
        yield
    except IRSDEError:
        raise
    except ImportError as error:
        source = error.__cause__ if isinstance(
            error.__cause__, ImportError) else error
        extra = missing_package(source)
        raise extra or ConfigError(
            f"'{address}' needs a package that is not installed: run pip "
            f'install {source.name or ""} ({error}).') from error
    except Exception as error:  # each protocol has exceptions of its own
        if isinstance(error, PermissionError) and not is_local(address):
            raise DataError(
                f"access to '{address}' is forbidden: check the credentials "
                f'({one_line(error)}).') from error
        raise DataError(f"'{address}' {reason(error)}.") from error


def one_line(error: BaseException) -> str:
    return ' '.join(str(error).split())[:200] or type(error).__name__


def reason(error: Exception) -> str:
    """Return why an address cannot be read, as the end of a sentence."""
    if isinstance(error, FileNotFoundError):
        return 'does not exist'
    text = getattr(error, 'strerror', None) or str(error)
    text = ' '.join(text.split())[:200].rstrip('.') or type(error).__name__
    return f'cannot be read ({text})'


def expand(urls: Union[str, Sequence[str]]) -> List[str]:
    """Return the addresses that patterns stand for, in their order.

    ``{000..099}`` and ``{a,b}`` are expanded as in a shell, ``*`` and ``?``
    match files that exist.

    Raises:
        DataError: If a pattern is invalid or matches nothing, or an address
            occurs twice.
    """
    patterns = [urls] if isinstance(urls, str) else list(urls)
    found = [url for pattern in patterns for text in _braces(pattern)
             for url in _files(text)]
    if not found:
        raise DataError('no address is given.')
    twice = next((url for url in found if found.count(url) > 1), None) \
        if len(set(found)) < len(found) else None
    if twice:
        raise DataError(f"'{twice}' is listed twice.")
    return found


def _braces(pattern: str) -> List[str]:
    pieces = BRACES.split(pattern)
    choices = [[piece] if i % 2 == 0 else _choices(piece, pattern)
               for i, piece in enumerate(pieces)]
    if re.search(r'[{}]', ''.join(pieces[::2])):
        raise DataError(f"the braces of '{pattern}' do not match.")
    return [''.join(parts) for parts in itertools.product(*choices)]


def _choices(text: str, pattern: str) -> List[str]:
    ends = RANGE.fullmatch(text)
    if ends:
        low, high = ends.groups()
        padded = any(len(n) > 1 and n[0] == '0' for n in (low, high))
        width = max(len(low), len(high)) if padded else 0
        found = [f'{n:0{width}d}' for n in range(int(low), int(high) + 1)]
        if found:
            return found
    elif ',' in text:
        return text.split(',')
    raise DataError(f"'{{{text}}}' in '{pattern}' matches nothing; write a "
                    "range such as '{000..099}'.")


def _files(pattern: str) -> List[str]:
    if not WILDCARDS.search(pattern):
        return [pattern]
    if is_local(pattern):
        found = glob.glob(pattern)
    else:
        with reaching(pattern):
            fs, path = filesystem(pattern)
            found = [fs.unstrip_protocol(name) for name in fs.glob(path)]
    if not found:
        raise DataError(f"no file matches '{pattern}'.")
    return sorted(found)
