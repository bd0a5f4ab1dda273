"""Actors of Ray Data, on this machine or on a cluster."""
import logging
import os
import pickle
import socket
import traceback
import warnings
from contextlib import contextmanager
from itertools import islice
from math import ceil
from typing import Any, Dict, Iterator, List, Optional

from ...errors import ConfigError, IRSDEError, OutputError
from ...inference.image_pipeline import BATCH_IMAGES
from ..items import FAILED, Outcome
from ..job import Job
from ..places import Place
from ...io.addresses import one_line
from ..sources import name_of
from . import local

#: Photos of one dataset of Ray, which the driver holds in memory.
PART = 100_000
#: Seconds until a cluster must answer.
PATIENCE = 10
#: Tasks that a worker has at a time, so that it need not wait for the next.
AHEAD = 4
#: How often Ray repeats a task whose worker was lost, before its photos are
#: tried one by one.
REPEATS = 1
#: Settings that Ray reads from the environment. Without them it prints pages
#: about each worker that is lost, although it starts another.
QUIET = dict(RAY_BACKEND_LOG_LEVEL='fatal', RAY_DEDUP_LOGS_SKIP_REGEX='.*')


def check(workers: Optional[int]) -> None:
    """Check the number of workers, and that Ray is installed.

    Raises:
        ConfigError: If it is less than 1, or Ray is missing.
    """
    local.check(workers)
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray.data  # noqa: F401
    except ImportError as error:
        raise ConfigError("--engine ray needs Ray: run pip install 'irsde-mm["
                          f"ray]' ({error}).") from error


def run(job: Job, items: Any, workers: Optional[int]) -> Iterator[Outcome]:
    """Yield the outcome of each item.

    The cluster is that of the variable ``RAY_ADDRESS`` or of ``ray start`` on
    this machine, if there is one; else this machine alone, until the iterator
    ends. A worker that is lost is replaced, and its photos are handed out
    again.

    Args:
        job (Job): The job.
        items (iterable[Item]): Photos, with a length.
        workers (int, optional): Number of actors, each with a CPU, and a GPU
            or a share of one if the cluster has GPUs. By default, one per
            GPU, or per CPU.

    Raises:
        ConfigError: If the cluster does not answer, or lacks the device.
        IRSDEError: If the model cannot be loaded, or the target is full.
    """
    source, remaining = Place(job.source), iter(items)
    with cluster() as resources:
        number = workers or int(resources.get('GPU') or resources['CPU'])
        share = shares(job.device, number, resources)
        while part := list(islice(remaining, PART)):
            # a lost worker costs all its tasks a try, so in the second round
            # it has one at a time
            for most, ahead, repeats in (
                    (job.batch_size or BATCH_IMAGES, AHEAD, REPEATS),
                    (1, 1, job.retries)):
                left = {item.name: item for item in part}
                for outcome in restored(job, local.Chunks(part, most, number),
                                        number, ahead, repeats, share):
                    del left[outcome.name]
                    yield outcome
                part = list(left.values())
                if not part:
                    break
            for item in part:
                yield Outcome(
                    item.name, FAILED, '', f'{name_of(source, item)!r}: the '
                    'process that restored it has ended each time.',
                    job.retries + 1)


@contextmanager
def cluster() -> Iterator[Dict[str, float]]:
    """Use a cluster of Ray; yield its resources.

    Raises:
        ConfigError: If it does not answer.
        OutputError: If Ray fails.
    """
    import ray
    for name in ('ray', 'ray.data'):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    ours = not ray.is_initialized()
    if ours:
        connect()
    try:
        yield ray.cluster_resources()
    except ray.exceptions.RayError as error:
        last = str(error).strip().rpartition('\n')[2]
        raise OutputError(f'Ray has stopped: {last}') from error
    finally:
        if ours:
            ray.shutdown()


def connect() -> None:
    """Connect to a cluster of Ray, or start one on this machine.

    Raises:
        ConfigError: If it does not answer, or does not start.
    """
    import ray
    address = os.environ.get('RAY_ADDRESS', '')
    try:
        if ':' in address:  # Ray would try for many minutes
            host, _, port = address.rpartition('/')[2].rpartition(':')
            socket.create_connection((host, int(port)), PATIENCE).close()
        with no_native_messages():
            ray.init(include_dashboard=False, log_to_driver=False,
                     logging_level=logging.CRITICAL)
    except Exception as error:  # Ray raises also Exception itself
        what = f'no cluster of Ray answers at RAY_ADDRESS={address}' \
            if address else 'Ray does not start on this machine'
        raise ConfigError(f'{what}: {one_line(error)}') from error


@contextmanager
def no_native_messages() -> Iterator[None]:
    """Discard what code in C++ writes to stderr."""
    saved = os.dup(2)
    with open(os.devnull, 'wb') as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def shares(device: Optional[str], workers: int,
           resources: Dict[str, float]) -> Dict[str, float]:
    """Return the CPUs and GPUs of each worker, 1 or a fraction.

    Args:
        device (str, optional): 'cpu' or 'cuda'; by default, GPUs are used if
            there are some.
        workers (int): Number of workers.
        resources (dict): Numbers of CPUs and GPUs in the cluster.

    Raises:
        ConfigError: If the device is not available.
    """
    kind, _, number = (device or '').partition(':')
    gpus = resources.get('GPU', 0)
    if number:
        raise ConfigError(f'--device {device}: Ray selects the GPUs, use '
                          f'--device {kind}.')
    if kind == 'cuda' and not gpus:
        raise ConfigError('--device cuda: the cluster of Ray has no GPU.')
    found = dict(num_cpus=1 / ceil(workers / resources['CPU']))
    if gpus and kind != 'cpu':
        found['num_gpus'] = 1 / ceil(workers / gpus)
    return found


class Actor:
    """Worker in a process of Ray.

    It returns errors instead of raising them, because Ray would repeat its
    tasks and report each in its own words.

    Args:
        job (Job): The job.
    """

    def __init__(self, job: Job) -> None:
        from ..worker import Worker
        self.error: Optional[Exception] = None
        try:
            self.worker = Worker(job)
        except Exception as error:
            self.error = error

    def __call__(self, batch: Dict[str, List[bytes]]) -> Dict[str, list]:
        """Restore the pickled photos of a task; return its outcomes or its
        error, pickled."""
        try:
            if self.error is not None:
                raise self.error
            found: Any = [outcome for items in batch['items']
                          for outcome in self.worker.restore(
                              pickle.loads(items))]
        except Exception as error:
            if not isinstance(error, IRSDEError):  # a bug
                error.add_note(traceback.format_exc())
            found = error
        return dict(found=[pickle.dumps(found)])


def restored(job: Job, chunks: local.Chunks, workers: int, ahead: int,
             repeats: int, share: Dict[str, float]) -> Iterator[Outcome]:
    """Yield the outcomes of chunks of photos as soon as each has ended.

    Each worker has up to ``ahead`` of them at a time. Those whose workers are
    lost more than ``repeats`` times have none.

    Raises:
        Exception: That of a worker.
    """
    import ray.data
    tasks = [dict(items=pickle.dumps(chunk)) for chunk in chunks]
    data = ray.data.from_items(tasks, override_num_blocks=len(tasks))
    with warnings.catch_warnings():
        # max_task_retries has no successor yet
        warnings.simplefilter('ignore', DeprecationWarning)
        data = data.map_batches(
            Actor, fn_constructor_args=(job, ), batch_size=1,
            compute=ray.data.ActorPoolStrategy(
                size=min(workers, len(tasks)),
                max_tasks_in_flight_per_actor=ahead),
            max_task_retries=repeats, **share)
    data.context.enable_progress_bars = False
    data.context.print_on_execution_start = False
    data.context.max_errored_blocks = -1
    for batch in data.iter_batches(batch_size=None, prefetch_batches=0):
        for found in map(pickle.loads, batch['found']):
            if isinstance(found, Exception):
                raise found
            yield from found
