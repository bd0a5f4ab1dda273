"""Tasks and results of the engines."""
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Optional

DONE, FAILED = 'done', 'failed'


@dataclass(frozen=True)
class Item:
    """Photo to restore.

    Attributes:
        name (str): Path relative to SOURCE, or the name of the member of a
            shard, with '/' between folders.
        size (int, optional): Bytes of the file, if the listing tells.
        shard (str): Path or address of the tar file, or of the only photo; ''
            for a file in SOURCE.
        offset (int): Position of the file in the shard.
    """

    name: str
    size: Optional[int] = None
    shard: str = ''
    offset: int = 0

    @property
    def file(self) -> str:
        """Path of the result relative to TARGET."""
        return f"{PurePosixPath(self.name).with_suffix('')}.png"


@dataclass(frozen=True)
class Outcome:
    """Result of an item.

    Attributes:
        name (str): Name of the item.
        status (str): 'done' or 'failed'.
        file (str): Path of the result relative to TARGET; '' if it failed.
        reason (str): Why it failed, in one line; '' if it is done.
        attempts (int): Number of times it was tried.
        seconds (float): Its share of the time of its batch.
        size (int): Bytes of the result.
    """

    name: str
    status: str
    file: str = ''
    reason: str = ''
    attempts: int = 1
    seconds: float = 0.
    size: int = 0
