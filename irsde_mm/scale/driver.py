"""Restoring all photos of a folder, an object store or tar shards."""
import os
from contextlib import closing
from dataclasses import dataclass
from types import ModuleType
from typing import Iterator, List, Optional

from tqdm.auto import tqdm

from ..errors import SHOWN, ConfigError, OutputError
from ..io.addresses import reaching
from .engines import ENGINES, find_engine
from .items import DONE, FAILED, Item
from .job import Job
from .locks import Lock, locked
from .manifest import Manifest
from .places import STATE, Place, in_time
from .snapshots import NAME, Snapshots, opened
from .sources import Source

#: Maximum length of a file name in bytes on common file systems.
LONGEST = 255


@dataclass
class Summary:
    """Counts and failures of a job.

    Attributes:
        total, done, failed (int): Numbers of photos, of all runs.
        before (int): Those of ``done`` that earlier runs have restored.
        reasons (list[str]): The first failures.
        clips (int): Clips that were skipped.
        first_clip (str): The first of them.
        manifest (str): Path or address of the manifest.
    """

    total: int
    done: int
    failed: int
    before: int
    reasons: List[str]
    clips: int
    first_clip: str
    manifest: str


def restore_all(job: Job, engine: str = 'local',
                workers: Optional[int] = None,
                show_progress: bool = True) -> Optional[Summary]:
    """Restore all photos of a job that no earlier run has restored.

    Results have the names of the photos, with their folders, and appear whole
    or not at all. After a kill, the same call goes on; photos that failed are
    tried again.

    Args:
        job (Job): The job, see :meth:`Job.create`.
        engine (str): 'local', 'torchrun' or 'ray'.
        workers (int, optional): Number of processes; the default depends on
            the engine.
        show_progress (bool): Whether to show a progress bar.

    Returns:
        Summary, or None in a process of torchrun other than the first.

    Raises:
        ConfigError, CheckpointError, DataError: If an option, the model or
            the source cannot be used.
        OutputError: If the target holds results of another job or other
            files with the names of results, another job is at work on it, it
            cannot be written to, or it is full.
    """
    if engine not in ENGINES:
        raise ConfigError(f'unknown engine {engine!r}: choose one of '
                          f'{", ".join(ENGINES)}.')
    module = find_engine(engine)
    module.check(workers)
    if engine != 'torchrun':
        return drive(job, module, workers, show_progress)
    if module.assist(job):
        return None
    try:
        return drive(job, module, workers, show_progress)
    finally:
        module.dismiss()


def drive(job: Job, module: ModuleType, workers: Optional[int],
          show_progress: bool) -> Summary:
    """Restore all photos from this process; see :func:`restore_all`."""
    target = Place(job.target)
    source = Source(job.source)
    check_places(source, target)
    with locked(target) as lock, opened(target) as manifest:
        register(manifest, job, source, target, show_progress)
        before = manifest.counts().get(DONE, 0)
        Snapshots(manifest, target).upload(now=True)
        if manifest.to_do():
            work(job, module, workers, manifest, lock, show_progress)
        counts = manifest.counts()
        if left := len(manifest.to_do()):
            raise OutputError(f'the engine has ended before {left:,} photos: '
                              'run the same command to go on.')
        return Summary(
            sum(counts.values()), counts.get(DONE, 0), counts.get(FAILED, 0),
            before, manifest.failures(SHOWN), source.clips,
            source.first_clip, target.full(NAME))


def check_places(source: Source, target: Place) -> None:
    """Check that the target is reachable and not in the source.

    Raises:
        ConfigError: If it is in the source, or a protocol is not installed.
        DataError: If it does not answer, or access is forbidden.
    """
    if not source.shards and not source.photo and source.place.holds(target):
        raise ConfigError(f"the results in '{target}' would be among the "
                          f"photos in '{source.place}': choose another --out.")
    if not target.local:
        with reaching(target.address):
            in_time(lambda: target.exists(STATE), target.address)


def register(manifest: Manifest, job: Job, source: Source, target: Place,
             show_progress: bool = False) -> None:
    """List source and target in the manifest, at once or not at all.

    Raises:
        DataError: If there are no photos, two have the same result, or the
            source cannot be listed.
        OutputError: If another job has results in the target, or files are in
            the way.
    """
    with manifest.transaction():
        manifest.begin(job.identity(), str(target))
        source.known = manifest.keep_shards(source.sizes())
        manifest.add(tqdm(_checked(source, target), desc='listing', delay=1,
                          unit='photo', disable=not show_progress))
        if not manifest.counts():
            raise source.nothing()
        with reaching(target.address):
            number, example = manifest.compare(results_in(target))
        if number:
            others = f', and {number - 1:,} other(s)' if number > 1 else ''
            raise OutputError(
                f"'{target.full(example)}' already exists{others}, but not "
                'from this job, and is not overwritten: choose another --out.')


def _checked(source: Source, target: Place) -> Iterator[Item]:
    """Yield the photos; refuse names that are too long for a folder."""
    for item in source:
        name = item.file.rpartition('/')[2]
        if target.local and len(os.fsencode(name)) > LONGEST:
            raise OutputError(f"the file name of '{target.full(item.file)}' "
                              'would be too long: rename the photo.')
        yield item


def results_in(target: Place) -> Iterator[str]:
    """Yield the names of the images in a target."""
    try:
        for name, _ in target.walk():
            if name.endswith('.png'):
                yield name
    except FileNotFoundError:  # object stores have no empty folders
        return


def work(job: Job, engine: ModuleType, workers: Optional[int],
         manifest: Manifest, lock: Lock, show_progress: bool) -> None:
    """Run an engine, record the outcomes, and show the progress.

    Raises:
        IRSDEError: If the engine raises one, or the lock was lost.
    """
    snapshots = Snapshots(manifest, Place(job.target))
    counts = manifest.counts()
    failed = 0
    with tqdm(total=sum(counts.values()), initial=counts.get(DONE, 0),
              unit='photo', disable=not show_progress) as bar:
        try:
            with closing(engine.run(job, manifest.to_do(),
                                    workers)) as outcomes:
                for outcome in outcomes:
                    lock.check()
                    manifest.record(outcome)
                    snapshots.upload()
                    failed += outcome.status == FAILED
                    bar.set_postfix(failed=failed, refresh=False)
                    bar.update()
        finally:
            lock.check()
            snapshots.upload(now=True)
