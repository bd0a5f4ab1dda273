"""One job at a time on a target."""
import json
import os
import socket
import threading
import time
import uuid
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Dict, Iterator

from ..errors import OutputError
from ..io.addresses import one_line
from .places import STATE, Place

OWNER = f'{STATE}/owner.json'
#: Seconds between two signs of life of the owner of an object store, without
#: which the lock expires, and before a lock that was taken over is read again.
BEAT, EXPIRY, SETTLE = 20., 90., 2.


@contextmanager
def locked(target: Place) -> Iterator['Lock']:
    """Keep other jobs from a target.

    A folder is locked by the kernel, which ends the lock with the process.
    An object store has a file with the name of the owner, who renews it.

    Raises:
        OutputError: If another job is at work, or the target cannot be
            written to.
    """
    if target.local:
        with _kernel_lock(target):
            yield Lock()
        return
    lock = StoreLock(target)
    lock.acquire()
    try:
        yield lock
    finally:
        lock.release()


class Lock:
    """A lock that lasts as long as the process."""

    def check(self) -> None:
        """Raise an OutputError if the lock was lost."""


@contextmanager
def _kernel_lock(target: Place) -> Iterator[None]:
    from filelock import FileLock, Timeout
    folder = Path(target.path(STATE))
    owner = Path(target.path(OWNER))
    lock = FileLock(folder / 'lock')
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        try:
            found = json.loads(owner.read_text())
        except (OSError, ValueError):  # it has just begun
            found = {}
        raise busy(target, found) from None
    except (OSError, NotImplementedError) as error:
        raise OutputError(f"cannot write to the folder '{target}': "
                          f"{getattr(error, 'strerror', None) or error}."
                          ) from error
    try:
        try:
            owner.write_text(json.dumps(me()))
        except OSError as error:
            raise OutputError(f"cannot write to the folder '{target}': "
                              f'{error.strerror}.') from error
        yield
    finally:
        lock.release()


class StoreLock(Lock):
    """Lock of an object store.

    Args:
        target (Place): The target.
    """

    def __init__(self, target: Place) -> None:
        self.target = target
        self.owner = me()
        self.lost = ''
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._renew, daemon=True)

    def acquire(self) -> None:
        """Take the lock, or that of an owner who no longer lives.

        Raises:
            OutputError: If there is another owner, or the target cannot be
                written to.
        """
        try:
            self._take()
        except OutputError:
            raise
        except Exception as error:  # each protocol has exceptions of its own
            raise OutputError(f"cannot write to '{self.target}': "
                              f'{one_line(error)}.') from error
        self.thread.start()

    def _take(self) -> None:
        try:
            self.target.create(OWNER, self._content())
            return
        except FileExistsError:
            found = self._read()
        if found and lives(found):
            raise busy(self.target, found)
        if self._read() == found:  # nobody else has taken it over
            self.target.fs.rm_file(self.target.path(OWNER))
        try:
            self.target.create(OWNER, self._content())
        except FileExistsError:
            raise busy(self.target, self._read()) from None
        time.sleep(SETTLE)
        found = self._read()
        if found.get('id') != self.owner['id']:
            raise busy(self.target, found)

    def _content(self) -> bytes:
        return json.dumps(dict(self.owner, beat=time.time())).encode()

    def _read(self) -> Dict[str, Any]:
        try:
            found = json.loads(self.target.read(OWNER))
        except (FileNotFoundError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _renew(self) -> None:
        """Show every BEAT seconds that this process lives."""
        last = time.monotonic()
        while not self.ended.wait(BEAT):
            try:
                found = self._read()
                if found.get('id') != self.owner['id']:
                    self.lost = str(busy(self.target, found))
                    return
                self.target.put(OWNER, self._content())
                last = time.monotonic()
            except Exception as error:  # tried again until it has expired
                if time.monotonic() - last > EXPIRY:
                    self.lost = (f"'{self.target}' has not answered for "
                                 f'{EXPIRY:.0f} s ({one_line(error)}).')
                    return

    def check(self) -> None:
        if self.lost:
            raise OutputError(self.lost)

    def release(self) -> None:
        """Remove the lock."""
        self.ended.set()
        self.thread.join()
        try:
            if self._read().get('id') == self.owner['id']:
                self.target.fs.rm_file(self.target.path(OWNER))
        except Exception:  # it expires
            pass


def me() -> Dict[str, Any]:
    """Return what describes this process to others."""
    import psutil
    return dict(id=uuid.uuid4().hex, machine=machine(), pid=os.getpid(),
                born=psutil.Process().create_time(), beat=time.time(),
                since=datetime.now().isoformat(' ', 'seconds'))


def machine() -> str:
    """Return a name of this machine, or of this container."""
    try:
        space = os.readlink('/proc/self/ns/pid')
    except OSError:  # not Linux
        space = ''
    return f'{socket.gethostname()} {space}'.strip()


def lives(owner: Dict[str, Any]) -> bool:
    """Return True if the owner of a lock may be at work."""
    import psutil
    if owner.get('machine') == machine():
        try:
            return psutil.Process(owner['pid']).create_time() == owner['born']
        except (psutil.Error, KeyError):
            return False
    return time.time() - owner.get('beat', 0) < EXPIRY


def busy(target: Place, owner: Dict[str, Any]) -> OutputError:
    """Return the error for a target where another job is at work."""
    host = str(owner.get('machine', 'another machine')).partition(' ')[0]
    expiry = '' if target.local else (
        f' (if it was killed, its lock expires within {EXPIRY:.0f} s)')
    return OutputError(
        f"another job is at work on '{target}': process "
        f"{owner.get('pid', 'unknown')} on {host}, since "
        f"{owner.get('since', 'just now')}. Wait until it has ended"
        f'{expiry}, or choose another --out.')
