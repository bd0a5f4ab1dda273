"""Measure the errors of a model on photos that its training has not seen, and
store them with the model, for restoring with intervals:
python tools/calibrate.py derain --data photos/val --out derain.safetensors"""
import argparse
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from calibration_data import CalibrationPhotos
from export import find_source, new_file

from irsde_mm.commands import cli
from irsde_mm.errors import ConfigError, DataError, building


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('model', metavar='MODEL', help='bundled model, '
                        'exported file, checkpoint, or work directory')
    parser.add_argument('--config', help='path or name of the config of a '
                        "checkpoint (default: the one in the checkpoint's "
                        'folder)')
    parser.add_argument('--data', nargs='+', required=True, metavar='FOLDER',
                        help='photos that training has not seen: clean ones, '
                        'which are degraded as in the training, or pairs in '
                        'input/ and target/; of a folder with train/, only '
                        'val/ or test/ is used')
    cli.pairs_argument(parser)
    parser.add_argument('--level', type=float, default=0.9, help='highest '
                        'level that must be possible (default: %(default)s); '
                        'higher ones are stored as far as the number of '
                        'photos allows')
    parser.add_argument('--out', required=True, metavar='FILE.safetensors',
                        help='file to write; must not exist')
    cli.sampler_arguments(parser)
    parser.add_argument('--device', help='cpu, cuda, cuda:1, ...')
    return parser


def main(args: argparse.Namespace) -> None:
    from irsde_mm.inference.calibrating import calibrate
    from irsde_mm.inference.intervals import check_level, sampler_text
    from irsde_mm.io.photos import prepare_folder
    from irsde_mm.model_files.exported import write_calibrated
    from tqdm.auto import tqdm
    out = new_file(args.out)
    check_level(args.level, 'level')
    with exported_file(args.model, args.config) as path:
        pipeline = open_own(path, args.model, args.device)
        sampler = pipeline.choose_sampler(args.sampler, args.steps)
        with building('the photos cannot be used'):
            photos = CalibrationPhotos(pipeline, args.data, args.pairs,
                                       sampler)
        check_number(len(photos.places), args.level)
        prepare_folder(out.parent)
        with tqdm(total=len(photos.places), unit='photo',
                  disable=not sys.stderr.isatty()) as bar:

            def measure(name: str):
                bar.update()
                return photos.measure(name)

            calibration = calibrate(list(photos.places), measure,
                                    sampler_text(sampler,
                                                 pipeline.self_ensemble))
        write_calibrated(path, out, calibration)
    print(f"'{out}': levels from 0.5 to {calibration.highest:g}, for "
          f'{calibration.sampler}\nscale: ' + ' + '.join(
              f'{weight:.3g} {name}' for name, weight
              in calibration.weights.items() if weight))


@contextmanager
def exported_file(model: str, config: str) -> Iterator[Path]:
    """Return the exported file of a model, a temporary one if the model is a
    checkpoint or a work directory.

    Raises:
        CheckpointError, ConfigError: If the model cannot be found or
            exported.
    """
    from irsde_mm.model_files.bundled import find_bundled
    from irsde_mm.model_files.exported import EXPORTED
    path = Path(find_bundled(model))
    if path.suffix == EXPORTED and path.is_file():
        if config:
            raise ConfigError('--config has no effect: an exported file needs '
                              'none.')
        yield path
        return
    from irsde_mm.apis.edit_models import model_from_config
    from irsde_mm.apis.export import export
    from irsde_mm.config import load_config
    config, checkpoint = find_source(model, config)
    with building(f"'{config}' cannot be built"):
        built = model_from_config(load_config(config), checkpoint, 'cpu')
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f'{Path(config).stem}{EXPORTED}'
        export(built, path, Path(config).stem)
        yield path


def open_own(path: Path, model: str, device: str):
    """Open the pipeline of an exported file.

    Raises:
        ConfigError: If it is not a pipeline of components of irsde_mm.
    """
    from irsde_mm.apis.inference import as_pipeline, init_restorer
    from irsde_mm.model_files.pipelines import read_pipeline
    from irsde_mm.model_files.settings import needs_registries
    settings, _ = read_pipeline(path)
    if settings is None or needs_registries(settings):
        raise ConfigError(f"'{model}' is not a pipeline of components of "
                          'irsde_mm; only these can be calibrated.')
    return as_pipeline(init_restorer(str(path), device=device))


def check_number(photos: int, level: float) -> None:
    """Check that there are enough photos for a level.

    Raises:
        DataError: If there are not.
    """
    from irsde_mm.inference.calibrating import (photos_in_all, photos_needed,
                                                split_sizes)
    needed = photos_in_all(level)
    if photos < needed:
        fit, _ = split_sizes(needed)
        raise DataError(
            f'level {level:g} needs at least {needed} photos '
            f'({photos_needed(level)} for the quantiles and {fit} for the '
            f'scale), but --data has {photos}: add photos, or choose a lower '
            '--level.')


if __name__ == '__main__':
    cli.run(main, parser())
