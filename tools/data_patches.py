"""Cut the training images of a config into patches, which are faster to read
than whole images of which training uses a small crop."""
import argparse
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

from irsde_mm.errors import ConfigError, OutputError, building


def add_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('patches')
    group.add_argument('--config', help='config whose training images are '
                       'cut')
    group.add_argument('--size', type=int, default=480, help='side of a patch '
                       'of clean images in pixels (default: %(default)s)')
    group.add_argument('--stride', type=int, default=240, help='distance '
                       'between patches (default: %(default)s); one more '
                       'patch covers the rest')


def cut(args: argparse.Namespace) -> None:
    """Write the patches of all training images as PNG files.

    Raises:
        ConfigError: If the config has no image files, or a size is invalid.
        OutputError: If the folder exists.
    """
    from irsde_mm.datasets import PairedImageDataset
    from tqdm.auto import tqdm
    if not args.config:
        raise ConfigError('--config is required for patches.')
    dataset, readers = build(args.config)
    scale = dataset.get_data_info(0)['scale']
    least = max(dataset.min_size, scale)
    if args.size < least or args.stride < 1 or (
            args.size % scale or args.stride % scale):
        raise ConfigError(f'--size must be at least {least}, and --size and '
                          f'--stride must be multiples of {scale}.')
    out = Path(args.out)
    if out.exists():
        raise OutputError(f"'{out}' exists and is not overwritten; use "
                          'another --out for the patches.')
    paired = isinstance(dataset, PairedImageDataset)
    number = sum(
        cut_one(dataset.get_data_info(i), dataset, readers, out, args)
        for i in tqdm(range(len(dataset)), unit='image'))
    where = 'train_dataloader.dataset.'
    options = [f'{where}data_root={out}'] + paired * [
        f'{where}data_prefix.{key}={key}' for key in ('img', 'gt')]
    print(f"wrote {number} patches to '{out}'; train with --cfg-options "
          + ' '.join(options))


def build(config: str) -> tuple:
    """Return the training set of a config, and the reader of each image key.

    Raises:
        ConfigError, DataError: If it is not a data set of image files.
    """
    from irsde_mm.config import config_scope, dataloaders, load_config
    from irsde_mm.config.completion import find_steps
    from irsde_mm.datasets import CleanImageDataset, PairedImageDataset
    from irsde_mm.datasets.transforms import LoadImage
    from irsde_mm.registry import DATASETS, TRANSFORMS
    cfg = load_config(config)
    loader, = dataloaders(cfg, 'train') or [None]
    if loader is None:
        raise ConfigError(f"'{config}' has no train_dataloader.")
    with building(f"the data of '{config}' cannot be used"), \
            config_scope(cfg):
        dataset = DATASETS.build(dict(loader.dataset, pipeline=[]))
        readers = {key: LoadImage(key) for key in ('img', 'gt')}
        readers.update((step['key'], TRANSFORMS.build(step))
                       for step in find_steps(loader.dataset.get('pipeline')))
    if not isinstance(dataset, (CleanImageDataset, PairedImageDataset)):
        raise ConfigError(f"'{config}' trains on {type(dataset).__name__}, "
                          'which does not read image files from folders.')
    return dataset, readers


def cut_one(info: dict, dataset, readers: dict, out: Path,
            args: argparse.Namespace) -> int:
    """Write the patches of an image or pair and return their number."""
    from irsde_mm.io.photos import prepare_folder, write_image
    scale, patches = info['scale'], 0
    images = {key: readers[key](dict(info))[key]
              for key in ('gt', 'img') if f'{key}_path' in info}
    for place in places(images['gt'].shape, args.size, args.stride):
        patches += 1
        for key, path in targets(info, dataset, out, place).items():
            factor = scale if key == 'img' else 1
            y, x = (start // factor for start in place)
            side = args.size // factor
            prepare_folder(path.parent)
            if not path.exists():  # a clean image may have several partners
                write_image(path, images[key][y:y + side, x:x + side])
    return patches


def targets(info: dict, dataset, out: Path,
            place: Tuple[int, int]) -> Dict[str, Path]:
    """Return the files of a patch.

    The position is put before the common part of the names of a pair, so that
    the templates still match.
    """
    label = '{}-{}-'.format(*place)
    clean = Path(info['gt_path']).stem
    if 'img_path' not in info:
        return dict(gt=out / f'{label}{clean}.png')
    name = Path(info['img_path']).stem
    at = dataset.names.patterns['img'].fullmatch(name).start(1)
    degraded = f'{name[:at]}{label}{name[at:]}'
    return dict(img=out / 'img' / f'{degraded}.png',
                gt=out / 'gt' / f'{dataset.names.partner(degraded)}.png')


def places(shape: tuple, size: int, stride: int) -> Iterator[Tuple[int, int]]:
    """Yield the top left corners of patches that cover an image."""
    for y in starts(shape[0], size, stride):
        for x in starts(shape[1], size, stride):
            yield y, x


def starts(length: int, size: int, stride: int) -> List[int]:
    last = max(length - size, 0)
    return [*range(0, last, stride), last]
