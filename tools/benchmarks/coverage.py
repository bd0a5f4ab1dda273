"""Coverage and width of calibrated intervals, by two-fold crossing: the photos
of one half calibrate the model, those of the other half test it."""
import argparse
import sys
from functools import cache
from pathlib import Path
from statistics import fmean

from irsde_mm.errors import DataError, building

LEVELS = (0.8, 0.9, 0.95)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from mmengine.config import DictAction
    parser.add_argument('model', metavar='MODEL',
                        help='bundled model or exported file')
    parser.add_argument('--data', required=True, metavar='FOLDER',
                        help='clean photos that training has not seen')
    parser.add_argument('--unseen', nargs='+', action=DictAction, default={},
                        metavar='KEY=VALUE', help='also test photos with '
                        'other arguments of the degradation, such as '
                        'sigma=0.196')


def run(args: argparse.Namespace) -> dict:
    """Measure, print a table, and return the figures."""
    from irsde_mm.inference.calibrating import photos_in_all
    from irsde_mm.inference.intervals import FEATURES
    pipeline, sets = open_photos(args)
    names = sorted(sets['seen'])
    needed = 2 * photos_in_all(max(LEVELS))
    if len(names) < needed:
        raise DataError(f"'{args.data}' has {len(names)} photos, but two "
                        f'halves need at least {needed}.')
    measure = {kind: restoring(photos, kind) for kind, photos in sets.items()}
    scales = dict(features=tuple(FEATURES), constant=('constant', ))
    figures = [figure for scale, features in scales.items()
               for figure in crossed(names, measure, features, scale)]
    show(args, figures)
    return dict(model=args.model, photos=len(names), unseen=args.unseen,
                figures=figures)


def open_photos(args: argparse.Namespace) -> tuple:
    """Return the pipeline, and its photos by kind of degradation."""
    from calibration_data import CalibrationPhotos
    from irsde_mm.apis.inference import diffusion_pipeline, init_restorer
    pipeline = diffusion_pipeline(
        init_restorer(args.model, device=args.device),
        'it cannot be calibrated')
    kinds = dict(seen={}, unseen=args.unseen) if args.unseen else dict(seen={})
    with building('the photos cannot be used'):
        return pipeline, {kind: {
            Path(name).name: (photos, name) for photos in [CalibrationPhotos(
                pipeline, [args.data], changes=changes)]
            for name in photos.places} for kind, changes in kinds.items()}


def restoring(photos: dict, kind: str):
    """Return a function that restores a photo by its name, once."""
    from tqdm.auto import tqdm
    bar = tqdm(total=len(photos), desc=kind, unit='photo',
               disable=not sys.stderr.isatty())

    @cache
    def measure(name: str):
        bar.update()
        source, path = photos[name]
        return source.measure(path)

    return measure


def crossed(names: list, measure: dict, features: tuple, scale: str) -> list:
    """Return the figures of each kind of degradation and each level."""
    from irsde_mm.inference.calibrating import calibrate, seed_of
    # in a random order
    names = sorted(names, key=lambda name: (seed_of(name), name))
    rows = {kind: [] for kind in measure}
    for half in (0, 1):
        calibration = calibrate(names[half::2], measure['seen'], '', features)
        for kind in measure:
            rows[kind] += [test(calibration, measure[kind](name))
                           for name in names[1 - half::2]]
    return [dict(
        scale=scale, degradation=kind, level=level,
        coverage=fmean(row['coverage'][i] for row in found),
        lowest=min(row['coverage'][i] for row in found),
        width=fmean(row['width'][i] for row in found),
        warnings=fmean(row['warned'] for row in found))
        for kind, found in rows.items() for i, level in enumerate(LEVELS)]


def test(calibration, photo) -> dict:
    """Return the coverage and the mean width of the intervals of a photo at
    each level, and whether it gives a warning."""
    scale = calibration.scale(photo.restored, photo.degraded)
    coverage, width = [], []
    for level in LEVELS:
        lower, upper = calibration.bounds(photo.restored, scale, level)
        coverage.append(float(((lower <= photo.clean)
                               & (photo.clean <= upper)).mean()))
        width.append(float((upper - lower).mean()))
    return dict(coverage=coverage, width=width, warned=bool(
        calibration.doubt(photo.restored, photo.degraded, scale)))


def show(args: argparse.Namespace, figures: list) -> None:
    """Print the figures."""
    from printing import print_table
    print_table(
        ['scale', 'data', 'level', 'coverage', 'lowest photo',
         'mean width', 'warnings'],
        [[f['scale'], f['degradation'], f"{f['level']:.0%}",
          f"{f['coverage']:.1%}", f"{f['lowest']:.1%}", f"{f['width']:.1f}",
          f"{f['warnings']:.0%}"] for f in figures],
        title=args.model)
