"""Images per second from shards compared with the same images in folders."""
import argparse
import statistics
import tempfile
from pathlib import Path

from irsde_mm.commands import cli
from irsde_mm.errors import building
from printing import print_table

from .common import seconds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config', help='path or name of a config that trains '
                        'on a folder of images')
    parser.add_argument('--images', type=int, default=200,
                        help='images per measurement (default: %(default)s)')
    parser.add_argument('--members', type=int, metavar='N', help='also time '
                        'opening a shard of N small images')
    cli.data_argument(parser)


def run(args: argparse.Namespace) -> dict:
    """Pack the training images of a config, and measure pairs: the folder,
    then the shards, once with the steps that load images and once with the
    whole pipeline, in one process.

    Raises:
        ConfigError: If the config does not train on a folder of images.
    """
    from irsde_mm.config import load_config
    cfg = load_config(args.config)
    cli.use_data(cfg, args)
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, pair in datasets(cfg, args.config, Path(folder)).items():
            rows[name] = measure(pair, args)
        opening = args.members and time_opening(
            Path(folder, 'many.tar'), args)
    print_table(
        ('', 'folder images/s', 'shards images/s', 'shards/folder'),
        [(name, f"{row['folder']:.1f}", f"{row['shards']:.1f}",
          f"{row['ratio']:.2f}") for name, row in rows.items()],
        title=f'{args.config}, medians of {args.repeats} pairs of '
        f'{args.images} images')
    if opening:
        print(f'a shard of {args.members:,} images is opened in '
              f'{opening:.3f} s (median of {args.repeats})')
    return dict(config=args.config, images=args.images, rows=rows,
                members=args.members, opening_s=opening)


def datasets(cfg, name: str, folder: Path) -> dict:
    """Return the dataset of the folder and that of the shards, with the steps
    that load images ('loading') and with all steps ('pipeline')."""
    import data_shards
    from irsde_mm.config import config_scope
    from irsde_mm.config.completion import find_steps
    from irsde_mm.datasets import CleanImageDataset, PairedImageDataset
    from irsde_mm.errors import ConfigError
    from irsde_mm.io.shard_writing import write_shard
    from irsde_mm.registry import DATASETS
    options = cfg.train_dataloader.dataset
    pipelines = dict(loading=list(find_steps(options.pipeline)),
                     pipeline=options.pipeline)
    with building(f"'{name}' cannot be built"), config_scope(cfg):
        whole = DATASETS.build(dict(options, pipeline=[]))
        if not isinstance(whole, (CleanImageDataset, PairedImageDataset)):
            raise ConfigError(f"'{name}' does not train on a folder of "
                              'images; use --data.')
        samples = data_shards.samples_of(whole, name)
        for i, part in enumerate(data_shards.divide(samples, 1000, 1024)):
            write_shard(folder / f'{i:05d}.tar', data_shards.files_of(part))
        shards = dict(type='irsde_mm.ShardDataset', urls=f'{folder}/*.tar',
                      scale=options.get('scale', 1))
        return {key: (DATASETS.build(dict(options, pipeline=steps)),
                      DATASETS.build(dict(shards, pipeline=steps)))
                for key, steps in pipelines.items()}


def measure(pair: tuple, args: argparse.Namespace) -> dict:
    """Return medians of images per second, and of their ratio."""
    from irsde_mm.engine.draws import seed_all

    def speed(dataset, round_number):
        def job():
            for i in range(args.images):
                seed_all(round_number, i)  # the same crops
                dataset[(round_number * args.images + i) % len(dataset)]

        return args.images / seconds(job)

    found = []
    for i in range(args.repeats):  # alternate the order
        order = (0, 1) if i % 2 else (1, 0)
        speeds = {j: speed(pair[j], i) for j in order}
        found.append((speeds[0], speeds[1]))
    folder, shards = map(statistics.median, zip(*found))
    return dict(folder=folder, shards=shards,
                ratio=statistics.median(b / a for a, b in found))


def time_opening(path: Path, args: argparse.Namespace) -> float:
    """Return the median seconds of opening a shard of many images."""
    import io
    import tarfile

    from irsde_mm.io.shard_writing import make_index, write_index
    from irsde_mm.io.shards import Shard
    from PIL import Image
    buffer = io.BytesIO()
    Image.new('RGB', (8, 8)).save(buffer, 'PNG')
    with tarfile.open(path, 'w') as archive:
        for i in range(args.members):
            info = tarfile.TarInfo(f'{i:08d}.gt.png')
            info.size = len(buffer.getvalue())
            archive.addfile(info, io.BytesIO(buffer.getvalue()))
            archive.members.clear()  # kept by tarfile
    write_index(str(path), make_index(str(path)).index)
    return statistics.median(
        seconds(lambda: Shard(str(path))) for _ in range(args.repeats))
