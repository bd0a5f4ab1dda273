"""Train bundled models from nothing and export them: python
tools/train_bundled.py dehaze_process auto --photos photos/"""
import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import List, Tuple

from irsde_mm.commands import cli

TOOLS = Path(__file__).parent
DATA = Path('data/bundled')  # of configs/_base_/datasets/bundled_photos.py
SCALES = (0.5, 0.75)
SIDE = 320  # shorter side that is aimed at, within SCALES
LICENCE = (
    'Trained on photos of BSDS500 (Berkeley Segmentation Data Set, University '
    'of California, Berkeley) and ImageNet, which are offered for '
    'non-commercial research and educational purposes; take these weights to '
    'be bound by the same terms. The code is under Apache-2.0.')


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog='The photos are collected in '
        f'{DATA}, trainings are resumed, and data/bsds500/val is used for '
        'validation.')
    parser.add_argument('models', nargs='+', metavar='MODEL',
                        help='models of configs/bundled, such as derain')
    parser.add_argument('--bsds500', default='data/bsds500/train',
                        metavar='FOLDER', help='training photos of BSDS500, '
                        'used as they are (default: %(default)s)')
    parser.add_argument('--photos', metavar='FOLDER', help='further photos, '
                        f'reduced to {SCALES[0]} to {SCALES[1]} of their '
                        'size, which hides JPEG blocks; at least 320 pixels '
                        'wide and high')
    parser.add_argument('--out', default='work_dirs/bundled',
                        help='folder of the runs and of the exported files '
                        '(default: %(default)s)')
    parser.add_argument('--cfg-options', nargs='+', default=[],
                        metavar='KEY=VALUE', help='override config fields, as '
                        'in tools/train.py, except those of the model')
    return parser


def main(args: argparse.Namespace) -> None:
    from irsde_mm.config import load_config
    from irsde_mm.errors import CheckpointError, ConfigError, OutputError
    from irsde_mm.model_files.runs import newest_first
    for option in args.cfg_options:
        if option.partition('=')[0].split('.')[0] == 'model':
            raise ConfigError(
                f"'{option}' would not reach the exported file, which has the "
                "model of its config; use a config of your own with "
                'tools/train.py and tools/export.py.')
    configs = {name: load_config(f'bundled/{name}') for name in args.models}
    starts = {name: start_of(cfg) for name, cfg in configs.items()}
    for cfg in configs.values():
        check_features(cfg)
    for i, (name, (_, start)) in enumerate(starts.items()):
        folder = Path(args.out) / start
        if start and not newest_first(folder) and start not in args.models[:i]:
            raise CheckpointError(f"bundled/{name} starts from '{folder}', "
                                  f"which has no checkpoint: train '{start}' "
                                  'first.')
        if target(args.out, name).exists():
            raise OutputError(f"'{target(args.out, name)}' exists and is not "
                              'overwritten.')
    collect(args.bsds500, args.photos)
    for name, (key, start) in starts.items():
        folder = Path(args.out) / name
        weights = [f'{key}={newest_first(Path(args.out) / start)[0]}'
                   ] if start else []
        call('train.py', f'bundled/{name}', '--work-dir', str(folder),
             *precision(), '--resume', '--cfg-options',
             'default_hooks.compile.type=irsde_mm.CompileHook',
             *weights, *args.cfg_options)
        if 'sde' in configs[name].model:  # regressions are not bundled
            call('export.py', str(folder), '--config', f'bundled/{name}',
                 '--out', str(target(args.out, name)), '--licence', LICENCE,
                 '--half')


def precision() -> List[str]:
    """Return the option for mixed precision if it is faster here. With
    compilation, bfloat16 takes 0.7 of the time on a CPU that supports it."""
    import torch
    from irsde_mm.engine.optim_wrappers import has_fast_bfloat16
    fast = torch.cuda.is_available() or has_fast_bfloat16()
    return ['--amp'] if fast else []


def start_of(cfg) -> Tuple[str, str]:
    """Return the model that must be trained before that of a config, or '',
    and the setting that is the path of its checkpoint."""
    paths = {'load_from': cfg.get('load_from'),
             'model.initial_checkpoint': cfg.model.get('initial_checkpoint')}
    for key, path in paths.items():
        if path and Path(path).is_relative_to('work_dirs'):
            return key, Path(path).parent.name
    return '', ''


def check_features(cfg) -> None:
    """Check that the weights of perceptual losses exist, before hours of
    other trainings.

    Raises:
        CheckpointError: If they do not.
    """
    from irsde_mm.registry import MODELS
    for part in cfg.model.pixel_loss.get('losses', []):
        if part['type'] == 'irsde_mm.PerceptualLoss':
            MODELS.build(part).frozen.network  # reads the file


def target(out: str, name: str) -> Path:
    return Path(out) / f'{name}.safetensors'


def call(tool: str, *options: str) -> None:
    """Run another tool; its messages are shown, and its failure ends this
    program with the same exit code."""
    code = subprocess.run([sys.executable, str(TOOLS / tool), *options]
                          ).returncode
    if code:
        sys.exit(code)


def collect(bsds500: str, photos: str) -> None:
    """Collect the training photos in ``data/bundled``.

    Photos that are there already are kept.

    Raises:
        DataError: If a folder is missing or has broken photos.
    """
    from irsde_mm.io.photos import find_images
    from tqdm.auto import tqdm
    DATA.mkdir(parents=True, exist_ok=True)
    for path in find_images([bsds500]):
        link = DATA / f'bsds_{path.name}'
        if not os.path.lexists(link):
            link.symlink_to(path.resolve())
    for path in tqdm(find_images([photos]) if photos else [], unit='photo'):
        file = DATA / f'photo_{path.name}.png'
        if not file.exists():
            reduce(path, file)


def reduce(path: Path, file: Path) -> None:
    """Write a photo at half to three quarters of its size, whole or not at
    all."""
    import cv2
    from irsde_mm.io.files import replace
    from irsde_mm.io.photos import read_photo, write_image
    photo = read_photo(path)
    h, w = photo.shape[:2]
    scale = min(max(SIDE / min(h, w), SCALES[0]), SCALES[1])
    part = file.with_name(f'.{file.name}')
    part.unlink(missing_ok=True)  # of a run that was stopped
    write_image(part, cv2.resize(photo, (round(w * scale), round(h * scale)),
                                 interpolation=cv2.INTER_AREA))
    replace(part, file)


if __name__ == '__main__':
    cli.run(main, parser())
