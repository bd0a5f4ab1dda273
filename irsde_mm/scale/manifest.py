"""SQLite file of what is done, with one writer."""
import json
import sqlite3
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Set, Tuple

from ..errors import DataError, OutputError
from .items import DONE, FAILED, Item, Outcome

FILE = 'manifest.sqlite'
OPEN = 'open'
#: Seconds between commits; a kill loses at most so much of what is recorded.
#: The results themselves are found again.
COMMIT = 1.
#: Photos read from the file at once.
PAGE = 1000
TABLES = """
CREATE TABLE IF NOT EXISTS job (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS photos (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
    file TEXT NOT NULL UNIQUE, shard TEXT NOT NULL, offset INTEGER NOT NULL,
    size INTEGER, run INTEGER NOT NULL, new INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'open', reason TEXT NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL DEFAULT 0, seconds REAL, bytes INTEGER);
CREATE TEMP TABLE present (file TEXT PRIMARY KEY) WITHOUT ROWID;
"""
# names of files may be any bytes, which sqlite3 does not accept as text
INSERT = """
INSERT INTO photos (name, file, shard, offset, size, run, new)
VALUES (CAST(? AS TEXT), CAST(? AS TEXT), ?, ?, ?, ?, 1)
ON CONFLICT (name) DO UPDATE SET shard = excluded.shard,
    offset = excluded.offset, size = excluded.size, run = excluded.run, new = 0
WHERE run < excluded.run"""
RECORD = """
UPDATE photos SET state = ?, reason = ?, attempts = ?, seconds = ?, bytes = ?
WHERE name = CAST(? AS TEXT)"""


class Manifest:
    """Table of finished and open photos.

    Args:
        path (Path): The file.

    Raises:
        DataError: If it is not a manifest, or damaged.
        OutputError: If it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._errors():
            # transactions begin and end where the code says; an engine may
            # take the photos in another thread
            self.base = sqlite3.connect(path, timeout=60, isolation_level=None,
                                        check_same_thread=False)
            self.base.text_factory = lambda text: text.decode(
                'utf-8', 'surrogateescape')
            self.base.executescript(TABLES)
        self.committed = time.monotonic()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise OutputError(f"cannot write '{self.path}': {error}."
                              ) from error
        except sqlite3.DatabaseError as error:
            raise DataError(f"'{self.path}' is not a manifest, or damaged "
                            f'({error}): remove it, or choose another --out.'
                            ) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all changes, or none if an exception is raised."""
        with self._errors():
            self.base.execute('BEGIN IMMEDIATE')
            try:
                yield
                self.base.execute('COMMIT')
            except BaseException:
                if self.base.in_transaction:
                    self.base.execute('ROLLBACK')
                raise

    def _value(self, key: str) -> Any:
        row = self.base.execute('SELECT value FROM job WHERE key = ?',
                                (key, )).fetchone()
        return row and json.loads(row[0])

    def _set(self, key: str, value: Any) -> None:
        self.base.execute('INSERT OR REPLACE INTO job VALUES (?, ?)',
                          (key, json.dumps(value)))

    def begin(self, identity: Dict[str, Any], target: str) -> None:
        """Start or continue a job, within a transaction.

        Args:
            identity (dict): What the results depend on.
            target (str): Folder or address, for messages.

        Raises:
            OutputError: If the manifest is that of another job, which has
                done something.
        """
        identity = json.loads(json.dumps(identity))
        other = self._value('identity')
        if other is not None and other != identity:
            if self.counts().get(DONE) or self.counts().get(FAILED):
                raise OutputError(
                    f"'{target}' holds the results of another job "
                    f'({differences(other, identity)}): choose another --out.')
            self.base.execute('DELETE FROM photos')
            self._set('shards', {})
        self.base.execute('UPDATE photos SET new = 0')
        self._set('identity', identity)
        self._set('run', (self._value('run') or 0) + 1)

    def keep_shards(self, sizes: Dict[str, int]) -> Set[str]:
        """Keep the listings of earlier runs, within a transaction.

        Args:
            sizes (dict): Bytes of each shard.

        Returns:
            set[str]: Shards that are the same and need not be listed again.
        """
        before = self._value('shards') or {}
        same = [shard for shard in sizes if before.get(shard) == sizes[shard]]
        self.base.execute(
            'UPDATE photos SET run = ? WHERE shard IN '
            '(SELECT value FROM json_each(?))',
            (self._value('run'), json.dumps(same)))
        self._set('shards', sizes)
        return set(same)

    def add(self, items: Iterable[Item]) -> None:
        """Add the photos of the listing, within a transaction.

        Raises:
            DataError: If two have the same result.
        """
        run = self._value('run')
        for item in items:
            try:
                changed = self.base.execute(INSERT, (
                    _bytes(item.name), _bytes(item.file), item.shard,
                    item.offset, item.size, run)).rowcount
            except sqlite3.IntegrityError:
                changed = 0
            if not changed:
                raise self._twice(item)
        self.base.execute('DELETE FROM photos WHERE run < ? AND state != ?',
                          (run, DONE))

    def _twice(self, item: Item) -> DataError:
        name, shard = self.base.execute(
            'SELECT name, shard FROM photos WHERE file = CAST(? AS TEXT)',
            (_bytes(item.file), )).fetchone()
        names = [f'{s}/{n}' if s else n for s, n in (
            (shard, name), (item.shard, item.name))]
        return DataError(
            f"two photos would be written to '{item.file}': {names[0]!r} and "
            f'{names[1]!r}; rename one, or restore them into different '
            'folders.')

    def compare(self, files: Iterable[str]) -> Tuple[int, str]:
        """Compare with the listing of the target, within a transaction.

        Results of a run that was killed before it recorded them are done;
        results that are no longer there have to be done again, and so have
        photos that failed.

        Args:
            files: Names of the files in the target.

        Returns:
            (number, example): Files that are in the way: they have the names
            of results, but no run of this job can have written them.
        """
        self.base.executemany('INSERT INTO present VALUES (CAST(? AS TEXT))',
                              ((_bytes(file), ) for file in files))
        found = self.base.execute(
            'SELECT COUNT(*), MIN(file) FROM photos JOIN present USING (file) '
            'WHERE new').fetchone()
        self.base.execute(
            'UPDATE photos SET state = ? WHERE state = ? AND file NOT IN '
            'present', (OPEN, DONE))
        self.base.execute(
            "UPDATE photos SET state = ?, reason = '' WHERE state = ? AND "
            'file IN present', (DONE, OPEN))
        self.base.execute('UPDATE photos SET state = ? WHERE state = ?',
                          (OPEN, FAILED))
        self.base.execute('DELETE FROM present')
        return found

    def counts(self) -> Dict[str, int]:
        """Return the number of photos by state."""
        return dict(self.base.execute(
            'SELECT state, COUNT(*) FROM photos GROUP BY state'))

    def to_do(self) -> 'ToDo':
        """Return the photos that are neither done nor failed."""
        return ToDo(self)

    def record(self, outcome: Outcome) -> None:
        """Record an outcome; it is on disk after about a second.

        Raises:
            OutputError: If the file cannot be written.
        """
        with self._errors():
            if not self.base.in_transaction:
                self.base.execute('BEGIN')
            self.base.execute(RECORD, (
                outcome.status, outcome.reason, outcome.attempts,
                outcome.seconds, outcome.size, _bytes(outcome.name)))
        if time.monotonic() - self.committed > COMMIT:
            self.commit()

    def commit(self) -> None:
        """Write what is recorded to disk.

        Raises:
            OutputError: If the file cannot be written.
        """
        with self._errors():
            if self.base.in_transaction:
                self.base.execute('COMMIT')
        self.committed = time.monotonic()

    def failures(self, number: int) -> List[str]:
        """Return the reasons of the first failures."""
        return [reason for reason, in self.base.execute(
            'SELECT reason FROM photos WHERE state = ? ORDER BY id LIMIT ?',
            (FAILED, number))]

    def close(self) -> None:
        """Write what is recorded, and close the file."""
        try:
            self.commit()
        finally:
            self.base.close()


class ToDo:
    """Photos to restore: an iterable with a length, read page by page."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.number = manifest.counts().get(OPEN, 0)

    def __len__(self) -> int:
        return self.number

    def __iter__(self) -> Iterator[Item]:
        last: Optional[int] = 0
        while last is not None:
            rows = self.manifest.base.execute(
                'SELECT id, name, size, shard, offset FROM photos WHERE id > '
                '? AND state = ? ORDER BY id LIMIT ?',
                (last, OPEN, PAGE)).fetchall()
            for _, *fields in rows:
                yield Item(*fields)
            last = rows[-1][0] if rows else None


def differences(one: Dict[str, Any], other: Dict[str, Any]) -> str:
    """Return what differs between two jobs, in words."""
    return ', '.join(
        'another model, mask or kernel file' if key == 'model' else
        f'{key} {one.get(key)!r} there, {other.get(key)!r} here'
        for key in other if one.get(key) != other[key])


def _bytes(name: str) -> bytes:
    return name.encode('utf-8', 'surrogateescape')
