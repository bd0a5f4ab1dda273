"""Engines of irsde restore, measured; and many workers, simulated."""
import argparse
import json
import statistics
import tempfile
from pathlib import Path

from printing import print_table

from irsde_mm.errors import ConfigError

from .scale_measurement import CHUNK, measure
from .scale_simulation import READS, WRITES, Inputs, simulate

#: Numbers of workers that are simulated.
WORKERS = (1, 10, 100, 1000)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--model', default='derain', help='as of irsde '
                        'restore (default: %(default)s)')
    parser.add_argument('--images', type=int, default=400,
                        help='photos to restore (default: %(default)s)')
    parser.add_argument('--size', type=int, default=64, help='height and '
                        'width of the photos (default: %(default)s)')
    parser.add_argument('--batch-size', type=int, help='as of irsde restore')
    parser.add_argument('--engines', nargs='+', default=['local', 'ray'],
                        choices=('local', 'ray'))
    parser.add_argument('--workers', type=int, nargs='+', default=[1, 2],
                        help='numbers of processes (default: 1 2)')
    parser.add_argument('--repeats', type=int, default=3,
                        help='measurements (default: %(default)s)')
    parser.add_argument('--delay', type=float, default=0.05, metavar='SECONDS',
                        help='simulated: time until the object store answers '
                        'a request (default: %(default)s)')
    parser.add_argument('--measured', metavar='FILE', help='simulate with the '
                        'measurements in a file of --out')


def run(args: argparse.Namespace) -> dict:
    """Measure the engines, and simulate more workers with these numbers.

    Each engine restores the same photos on this machine, in turn with
    processes that only call the network. The overhead of an engine is what it
    needs in addition to them. Every process has one thread.

    Raises:
        ConfigError: If the file of measurements cannot be read.
    """
    if args.measured:
        measured = read(args.measured)
    else:
        with tempfile.TemporaryDirectory() as folder:
            measured = measure(args, Path(folder))
    rows = summary(measured)
    show(measured, rows)
    inputs = inputs_of(measured, rows, args.delay)
    simulated = [simulate(inputs, workers) for workers in WORKERS]
    show_simulated(inputs, simulated)
    return dict(measured=measured, summary=rows, inputs=vars(inputs),
                simulated=simulated)


def read(path: str) -> dict:
    try:
        return json.loads(Path(path).read_text())['measured']
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"'{path}' is not a file of this benchmark's --out: "
                          f'{error}.') from error


def summary(measured: dict) -> list:
    """Return the medians of each kind of run, with the overhead: how much
    longer it took than the network calls of the same round."""
    rounds: dict = {}
    for run in measured['runs']:
        rounds.setdefault((run['engine'], run['workers']), []).append(run)
    rows = []
    for (engine, workers), found in rounds.items():
        row = {key: statistics.median(run[key] for run in found)
               for key in found[0] if type(found[0][key]) in (int, float)}
        row.update(
            engine=engine, workers=workers, overhead=statistics.median(
                base['photos_per_second'] / run['photos_per_second'] - 1
                for base, run in zip(rounds['network', workers], found)))
        rows.append(row)
    return rows


def inputs_of(measured: dict, rows: list, delay: float) -> Inputs:
    """Return the inputs of the simulation: seconds of the CPU, which other
    work on the machine changes least."""
    network = next(row for row in rows if row['engine'] == 'network')
    requests = measured['requests']
    return Inputs(
        batch=CHUNK, worker_seconds=tuple(measured['worker_seconds']),
        network_seconds=network['cpu_seconds'],
        load_seconds=network['load_seconds'],
        driver_seconds=measured['driver_seconds'],
        listing_seconds=measured['listing_seconds'],
        reads=sum(requests.get(method, 0) for method in ('GET', 'HEAD')),
        writes=sum(requests.get(method, 0) for method in ('PUT', 'POST')),
        delay=delay)


def show(measured: dict, rows: list) -> None:
    print_table(
        ('', 'processes', 'photos/s', 'overhead', 'first photo s',
         'MB at 1/4', 'MB at end'), [cells(measured, row) for row in rows],
        title='{images} photos of {size}x{size}, {model}'.format(**measured),
        caption='medians; rates without starting processes and loading '
        'models; overhead: in addition to the network calls; results that '
        f"differ between the runs: {measured['different']}")


def cells(measured: dict, row: dict) -> list:
    """Return a row of the table."""
    found = [row['engine'], str(row['workers']),
             f"{row['photos_per_second']:.1f}"]
    if row['engine'] == 'network':
        return found + [''] * 4
    return [*found, f"{row['overhead']:.0%}", f"{row['first_seconds']:.1f}",
            *memory(measured, row)]


def memory(measured: dict, row: dict) -> list:
    """Return the memory after a quarter of the photos and at the end."""
    runs = [run['memory'] for run in measured['runs'] if (
        run['engine'], run['workers']) == (row['engine'], row['workers'])]
    return [f'{statistics.median(run[i] for run in runs) / 2**20:.0f}'
            for i in (0, -1)]


def show_simulated(inputs: Inputs, simulated: list) -> None:
    print_table(('measured', 'ms'), [
        (name, f'{1e3 * seconds:.3f}') for name, seconds in {
            'network calls per photo': inputs.network_seconds,
            'worker per photo': statistics.median(inputs.worker_seconds),
            'driver per photo': inputs.driver_seconds,
            'listing per photo': inputs.listing_seconds,
            'loading the model': inputs.load_seconds}.items()],
        left='measured', caption='of the CPU; requests to the store per photo:'
        f' {inputs.reads:g} reading, {inputs.writes:g} writing')
    hours = inputs.network_seconds * 1e6 / 3600
    print_table(
        ('workers', 'photos/s', 'hours', 'network', 'bound', 'its share',
         'worker-hours'),
        [(f"{row['workers']:,}", f"{row['photos_per_second']:,.0f}",
          f"{row['seconds'] / 3600:.2f}", f"{row['efficiency']:.0%}",
          row['bound'], f"{row['busy'][row['bound']]:.0%}",
          f"{row['hours']:.2f}") for row in simulated],
        title='simulated: a million photos',
        caption=f'network: share of the workers\' time in network calls, '
        f'which need {hours:.2f} worker-hours; the store answers after '
        f'{1e3 * inputs.delay:.0f} ms, at most {READS:.0f} readings and '
        f'{WRITES:.0f} writings per second')
