"""Simulation of many workers, from numbers measured with one or two.

It shows what one machine cannot: which part of a run is exhausted first. A
worker that is free takes a batch of photos, reads it from the object store,
restores it and writes it; then the driver records it. The store and the driver
serve all workers, at a limited rate. All photos are listed before.
"""
import heapq
import random
from collections import deque
from dataclasses import dataclass
from typing import Sequence

#: Requests per second that S3 promises for one prefix, for reading and for
#: writing (its user guide, "Best practices design patterns").
READS, WRITES = 5500., 3500.


@dataclass(frozen=True)
class Inputs:
    """Inputs of a simulation.

    Args:
        batch (int): Photos that a worker takes at once.
        worker_seconds (Sequence[float]): Measured seconds of a worker per
            photo, one of which is drawn for each batch.
        network_seconds (float): Seconds of the network calls per photo.
        load_seconds (float): Seconds until a worker has loaded the model.
        driver_seconds (float): Seconds of the driver per photo, for the
            engine and the manifest.
        listing_seconds (float): Seconds per photo until all are listed, which
            is before the first one is restored.
        reads, writes (float): Requests to the store per photo.
        delay (float): Seconds until the store answers a request.
        reads_per_second, writes_per_second (float): Requests that it answers
            in all.
        readers (int): Photos that a worker reads at the same time.
        ahead (int): Batches that a worker may be ahead of the driver.
    """
    batch: int
    worker_seconds: Sequence[float]
    network_seconds: float
    load_seconds: float
    driver_seconds: float
    listing_seconds: float
    reads: float
    writes: float
    delay: float = 0.
    reads_per_second: float = READS
    writes_per_second: float = WRITES
    readers: int = 8
    ahead: int = 4

    def costs(self) -> dict:
        """Return the seconds per batch of what serves all workers."""
        return {name: self.batch * seconds for name, seconds in dict(
            reads=self.reads / self.reads_per_second,
            writes=self.writes / self.writes_per_second,
            driver=self.driver_seconds).items()}


def simulate(inputs: Inputs, workers: int, photos: int = 1_000_000,
             seed: int = 0) -> dict:
    """Simulate a run.

    Returns:
        dict: ``seconds``; ``photos_per_second``; ``busy``, the share of the
        time in which each part works; ``bound``, the busiest one;
        ``efficiency``, the share of the workers' time in network calls; and
        ``hours``, those of one worker for a million photos.
    """
    rng, cost = random.Random(seed), inputs.costs()
    before = photos * inputs.listing_seconds
    ready = dict.fromkeys(cost, 0.)
    recorded = [deque([0.] * inputs.ahead) for _ in range(workers)]
    events = [(before + inputs.load_seconds, True, worker)
              for worker in range(workers)]
    waiting = inputs.batch * inputs.delay * (
        inputs.reads / inputs.readers + inputs.writes)
    started, batches, work = 0, -(-photos // inputs.batch), 0.

    def served(part: str, at: float) -> float:
        """Return when a batch that arrives at a time has been served."""
        ready[part] = max(ready[part] + cost[part], at)
        return ready[part]

    while events:
        at, free, worker = heapq.heappop(events)
        if not free:
            at = served('writes', at)
            recorded[worker].append(served('driver', at))
            at = max(at, recorded[worker].popleft())
            heapq.heappush(events, (at, True, worker))
        elif started < batches:
            started += 1
            seconds = inputs.batch * rng.choice(inputs.worker_seconds)
            work += seconds
            at = max(at + seconds + waiting, served('reads', at))
            heapq.heappush(events, (at, False, worker))
    total = ready['driver']
    busy = {part: batches * seconds / total for part, seconds in cost.items()}
    busy.update(workers=(work + batches * waiting) / workers / total,
                listing=before / total, loading=inputs.load_seconds / total)
    return dict(
        workers=workers, photos=photos, seconds=total,
        photos_per_second=photos / total, busy=busy,
        bound=max(busy, key=busy.get),
        efficiency=photos * inputs.network_seconds / workers / total,
        hours=workers * total / 3600 * 1e6 / photos)
