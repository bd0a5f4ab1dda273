"""Restore folders, object stores and tar shards with an engine."""
import argparse
import sys
from typing import Any, Dict

from . import cli

#: Options of an engine, and those that it passes to the workers.
ENGINE = ('engine', 'workers', 'retries')
OPTIONS = ('checkpoint', 'device', 'tile', 'self_ensemble', 'sampler',
           'steps', 'seed', 'crispness', 'white', 'max_pixels', 'batch_size',
           'force')
FREE = (*ENGINE, *OPTIONS, 'inputs', 'out', 'task', 'model', 'debug', 'mask',
        'data_consistency', 'kernel', 'data_noise')


def engine_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options for many photos."""
    group = parser.add_argument_group(
        'many photos', 'With an engine, the only input is a folder with its '
        'subfolders, an address such as s3://BUCKET/FOLDER, or tar shards '
        "such as 'photos-{000..099}.tar', and --out a folder or an address. "
        'Results keep the subfolders. Run the same command to continue after '
        'a kill and to retry failed photos; OUT/.irsde/manifest.sqlite lists '
        'what is done.')
    group.add_argument('--engine', choices=('local', 'torchrun', 'ray'),
                       help='start processes on this machine (local, the '
                       'default for addresses), be one of those that '
                       'tools/dist_restore.sh or tools/slurm_restore.sh '
                       'starts (torchrun), or use a Ray cluster (ray)')
    group.add_argument('--workers', type=int, metavar='N',
                       help='number of processes of local and ray (default: '
                       'one per GPU; without, 1, or with ray one per CPU)')
    group.add_argument('--retries', type=int, metavar='K', help='how often to '
                       'try again if a photo cannot be read or written, or '
                       'its process is lost (default: 3)')


def wants_engine(args: argparse.Namespace) -> bool:
    """Return True if the options are for an engine.

    Raises:
        ConfigError: If options of an engine are given without one.
    """
    from ..errors import ConfigError
    addresses = [text for text in (*args.inputs, args.out) if '://' in text]
    if args.engine is None and not addresses:
        given = [f'--{name}' for name in ENGINE
                 if getattr(args, name) is not None]
        if given:
            raise ConfigError(f'{given[0]} requires --engine.')
        return False
    return True


def check_options(args: argparse.Namespace,
                  defaults: Dict[str, Any]) -> None:
    """Reject options that an engine does not have.

    Args:
        args (Namespace): The options of restore.
        defaults (dict): Their values if they are not given.

    Raises:
        ConfigError: Naming these options.
    """
    from ..errors import ConfigError
    given = cli.given_options(args, defaults, FREE)
    if given:
        raise ConfigError(
            f"{', '.join(given)} cannot be used with --engine and addresses, "
            'which restore photos only, and write one result for each.')
    if len(args.inputs) != 1:
        raise ConfigError('specify one folder, address or pattern of tar '
                          'shards with --engine, and no other inputs.')


def restore_scale(args: argparse.Namespace, model: str,
                  consistency: Any) -> int:
    """Restore with an engine; return the number of failed photos.

    Args:
        args (Namespace): The options of restore.
        model (str): The selected model.
        consistency: Option data_consistency of the inferencer.

    Raises:
        IRSDEError: If something cannot be used, or no photo be restored.
    """
    from ..scale import Job, restore_all
    options = {name: getattr(args, name) for name in OPTIONS}
    if args.retries is not None:
        options['retries'] = args.retries
    job = Job.create(args.inputs[0], args.out, model,
                     data_consistency=consistency, **options)
    summary = restore_all(job, args.engine or 'local', args.workers)
    return report(summary, args.out) if summary else 0


def report(summary, out: str) -> int:
    """Print what became of the photos; return the number of failures.

    Raises:
        DataError: If none could be restored.
    """
    from ..errors import DataError
    if summary.clips:
        print(f"skipped {summary.clips:,} clip(s), such as "
              f"'{summary.first_clip}': restore them without --engine.",
              file=sys.stderr)
    more = summary.failed - len(summary.reasons)
    listing = ('all are in the table photos of the SQLite file '
               f"'{summary.manifest}', where state = 'failed'")
    if not summary.done:
        raise DataError('none of the photos could be restored: '
                        + ' '.join(summary.reasons))
    before = f', {summary.before:,} of them before' if summary.before else ''
    print(f"{summary.done:,} photo(s) restored in '{out}'{before}")
    if summary.failed:
        print(f'{summary.failed:,} of {summary.total:,} photos could not be '
              'restored:', *summary.reasons, sep='\n', file=sys.stderr)
        print(f'and {more:,} more; {listing}' if more else listing,
              file=sys.stderr)
    return summary.failed
