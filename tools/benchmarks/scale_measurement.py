"""Measurements for the benchmark of the engines."""
import contextlib
import multiprocessing
import os
import pickle
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import psutil

from .common import network_calls
from .object_store import ObjectStore

#: Photos that are listed, and that are restored from an object store.
LISTED, STORED = 10_000, 32
#: Photos that a worker takes at once.
CHUNK = 16


def measure(args, folder: Path) -> dict:
    """Measure the engines in turn with processes that only call the network.

    Returns:
        dict: ``runs``, a list of what :func:`network_run` and
        :func:`engine_run` return, and the other measurements.
    """
    photos = folder / 'photos'
    draw(photos, args.images, args.size)
    job = dict(source=photos, model=args.model, device=args.device,
               batch_size=args.batch_size)
    runs = []
    for i in range(args.repeats):
        for workers in args.workers:
            runs.append(network_run(job, args.images, args.size, workers))
            for engine in args.engines:
                target = folder / f'{engine}_{workers}_{i}'
                runs.append(isolated(engine_run, dict(job, target=target),
                                     engine, workers))
    return dict(
        model=args.model, images=args.images, size=args.size,
        batch_size=args.batch_size, runs=runs, different=different(
            [path for path in folder.iterdir() if path != photos]),
        worker_seconds=isolated(worker_seconds, job),
        requests=isolated(requests, job),
        **isolated(driver_seconds, folder / 'list', max(args.workers)))


def different(targets: list) -> int:
    """Return the number of results that are not the same in all targets."""
    return sum(len({(target / path.name).read_bytes() for target in targets})
               > 1 for path in targets[0].glob('*.png'))


def draw(folder: Path, number: int, size: int) -> None:
    """Write photos: smooth noise with fine noise."""
    import numpy as np
    from PIL import Image
    rng = np.random.default_rng(0)
    folder.mkdir()
    for i in range(number):
        coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8))
        pixels = np.asarray(coarse.resize((size, size))).astype(int)
        pixels = pixels + rng.integers(-8, 9, pixels.shape)
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(
            folder / f'{i:06}.png')


def isolated(function, *args):
    """Return the result of a function in a new process."""
    with ProcessPoolExecutor(
            1, multiprocessing.get_context('spawn')) as pool:
        return pool.submit(function, *args).result()


def network_run(job: dict, images: int, size: int, workers: int) -> dict:
    """Make the network calls of all photos in processes.

    Returns:
        dict: ``seconds``; and ``cpu_seconds`` and ``network_seconds`` (wall)
        per photo, ``load_seconds`` (of the CPU) per process, ``calls`` per
        photo.
    """
    context = multiprocessing.get_context('spawn')
    barrier = context.Barrier(workers)
    with ProcessPoolExecutor(workers, context, keep, (barrier, )) as pool:
        found = list(pool.map(partial(
            call_network, job, images // workers, size), range(workers)))
    seconds = max(end for _, end, *_ in found) - min(
        start for start, *_ in found)
    done = images // workers * workers
    return dict(
        engine='network', workers=workers, seconds=seconds,
        photos_per_second=done / seconds,
        cpu_seconds=sum(cpu for *_, cpu, _, _ in found) / done,
        load_seconds=sum(load for *_, load, _ in found) / workers,
        calls=found[0][-1])


def keep(barrier) -> None:
    """Keep the barrier of the processes of a run."""
    global START
    START = barrier


def call_network(job: dict, number: int, size: int, _) -> tuple:
    import numpy as np
    import torch
    from irsde_mm.scale import Worker
    from irsde_mm.scale.engines.local import BATCH_IMAGES
    torch.set_num_threads(1)
    pipeline = Worker(job_of(**job, target='unused')).pipeline
    load = time.process_time()
    batch = len(pipeline.in_batches([(size, size)] * BATCH_IMAGES,
                                    job['batch_size'] or 1)[0])
    calls, steps = network_calls(pipeline, [
        np.zeros((size, size, pipeline.channels), np.uint8)] * batch)
    calls()  # warm up
    START.wait()
    start, cpu = time.time(), time.process_time()
    for _ in range(0, number, batch):
        calls()
    made = -(-number // batch) * batch
    share = number / made  # the last batch may be smaller in a run
    return (start, start + (time.time() - start) * share,
            (time.process_time() - cpu) * share, load, steps)


def job_of(source, target, model, **options):
    from irsde_mm.scale import Job
    return Job.create(source, target, model, **options)


class Watch:
    """Times and memory of a run and its processes."""

    def __init__(self):
        self.start, self.own = time.time(), psutil.Process()
        self.marks, self.outcomes = [], []

    def mark(self) -> None:
        """Note the state of now."""
        memory = 0
        for process in [self.own, *self.own.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                memory += process.memory_full_info().uss
        self.marks.append(SimpleNamespace(
            time=time.time(), memory=memory, done=len(self.outcomes)))

    def outcomes_of(self, run, job, items, workers):
        """Yield the outcomes of an engine; mark the first one, the end of
        each quarter, and the last one."""
        total = len(items)
        at = {1, *(total * i // 4 for i in range(1, 5))}
        for outcome in run(job, items, workers):
            yield outcome
            self.outcomes.append(outcome)
            if len(self.outcomes) in at:
                self.mark()


def engine_run(job: dict, engine: str, workers: int) -> dict:
    """Restore all photos as ``irsde restore`` does.

    Rates are those between the first and the last outcome, without starting
    processes and loading models.

    Returns:
        dict: ``total_seconds`` and ``first_seconds`` until the last and the
        first outcome; ``seconds``, between them; ``memory``, bytes of all
        processes after each quarter.
    """
    import torch
    from irsde_mm.scale import driver
    from irsde_mm.scale.engines import find_engine
    torch.set_num_threads(1)
    job = job_of(**job)
    module, watch = find_engine(engine), Watch()
    module.check(workers)
    source, target = driver.Source(job.source), driver.Place(job.target)
    tapped = SimpleNamespace(run=partial(watch.outcomes_of, module.run))
    with driver.locked(target) as lock, driver.opened(target) as manifest:
        driver.register(manifest, job, source, target)
        driver.work(job, tapped, workers, manifest, lock, False)
    assert {outcome.status for outcome in watch.outcomes} == {'done'}
    first, last = watch.marks[0], watch.marks[-1]
    done = last.done - first.done
    return dict(
        engine=engine, workers=workers, seconds=last.time - first.time,
        first_seconds=first.time - watch.start,
        total_seconds=last.time - watch.start,
        photos_per_second=done / (last.time - first.time),
        memory=[mark.memory for mark in watch.marks[1:]])


def worker_seconds(job: dict) -> list:
    """Return the seconds of the CPU that a worker needs per photo, for each
    chunk of photos: reading, the network calls, writing."""
    import torch
    from irsde_mm.scale import Worker
    from irsde_mm.scale.sources import Source
    torch.set_num_threads(1)
    source = Path(job['source'])
    job = job_of(**job, target=source.with_name('worker'))
    worker, items, found = Worker(job), list(Source(job.source)), []
    for i in range(0, len(items), CHUNK):
        chunk, start = items[i:i + CHUNK], time.process_time()
        worker.restore(chunk)
        found.append((time.process_time() - start) / len(chunk))
    return found[1:] or found  # the first chunk is slower


def driver_seconds(folder: Path, workers: int) -> dict:
    """Measure the driver with workers of Ray that restore nothing.

    Returns:
        dict: ``listing_seconds``, per photo, for a folder into the manifest;
        ``driver_seconds``, of the CPU per photo, for handing it out and
        recording it.
    """
    from irsde_mm.scale import driver
    from irsde_mm.scale.engines import ray_data
    (folder / 'in').mkdir(parents=True)
    for i in range(LISTED):
        (folder / 'in' / f'{i:06}.png').touch()
    job = job_of(folder / 'in', folder / 'out', 'derain')
    source, target = driver.Source(job.source), driver.Place(job.target)
    ray_data.check(workers)
    from ray import cloudpickle
    # workers do not import the tools
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    ray_data.Actor = IdleActor
    times = []
    engine = SimpleNamespace(run=partial(timed, ray_data.run, times))
    with driver.locked(target) as lock, driver.opened(target) as manifest:
        start = time.process_time()
        driver.register(manifest, job, source, target)
        listing = (time.process_time() - start) / LISTED
        driver.work(job, engine, workers, manifest, lock, False)
    return dict(listing_seconds=listing,
                driver_seconds=(times[-1] - times[0]) / (LISTED - 1))


def timed(run, times: list, *args):
    """Yield the outcomes of an engine; note the CPU times of this process."""
    for outcome in run(*args):
        yield outcome
        times.append(time.process_time())


class IdleActor:
    """Stands for the actors of Ray; says that photos are done."""

    def __init__(self, job) -> None:
        pass

    def __call__(self, batch: dict) -> dict:
        from irsde_mm.scale.items import DONE, Outcome
        return dict(found=[pickle.dumps([
            Outcome(item.name, DONE, item.file) for items in batch['items']
            for item in pickle.loads(items)])])


def requests(job: dict) -> dict:
    """Return the requests of a worker per photo in an object store."""
    from irsde_mm.scale import Worker
    from irsde_mm.scale.sources import Source
    with ObjectStore() as store:
        os.environ.update(store.environment)
        files = store.files()
        for path in sorted(Path(job['source']).iterdir())[:STORED]:
            files.put_file(str(path), f'photos/in/{path.name}')
        job = job_of(**dict(job, source='s3://photos/in',
                            target='s3://photos/out'))
        worker, items = Worker(job), list(Source(job.source))
        store.requests.clear()
        worker.restore(items)
        return {method: number / len(items)
                for method, number in store.requests.items()}
