"""Pack images into shards, and index shards, for irsde_mm.ShardDataset."""
import argparse
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Tuple

import data_patches
from data_parts import some

from irsde_mm.errors import (SHOWN, ConfigError, DataError, OutputError,
                             listed)

BLOCK = 512  # bytes of a header; contents are padded to this size
TAR = '.tar'
FIELDS = dict(img='input', gt='target')


class Sample(NamedTuple):
    """The files of a sample by member name, and their bytes in a shard."""
    key: str
    files: List[Tuple[str, Path]]
    size: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        'shards', 'Pack a folder of photos or of pairs (--source FOLDER), or '
        'the training images of a config (--config), into the tar files '
        'OUT-00000.tar, ... (--out); or index tar files that exist (--source '
        "'data/train-{000..099}.tar').")
    group.add_argument('--pairs', nargs=2, metavar=('INPUT', 'TARGET'),
                       help='names of degraded and clean images, such as '
                       "'{}_hazy' '{}_GT' or 'low/{}' 'high/{}' (default: "
                       'the same names in input/ and target/)')
    group.add_argument('--per-shard', type=int, default=1000, metavar='N',
                       help='photos or pairs in a shard (default: '
                       '%(default)s)')
    group.add_argument('--max-size', type=float, default=1024, metavar='MB',
                       help='size of a shard in units of 2^20 bytes '
                       '(default: %(default)s)')


def run(args: argparse.Namespace) -> None:
    """Index tar files or pack images.

    Raises:
        ConfigError, DataError, OutputError: If the options, the images or the
            files do not allow it.
    """
    sources = args.source or []
    if sources and all(source.endswith(TAR) for source in sources):
        unused = [name for name in ('config', 'pairs', 'out')
                  if getattr(args, name)]
        if unused:
            raise ConfigError(f'--{unused[0]} has no effect: tar files are '
                              'indexed where they are.')
        index(sources)
    else:
        pack(args)


def index(sources: List[str]) -> None:
    """Make the indexes that are missing or not of their shards."""
    from irsde_mm.io.addresses import expand
    from irsde_mm.io.shard_writing import make_index, write_index
    from tqdm.auto import tqdm
    urls = expand(sources)
    todo = [url for url in urls if not is_indexed(url)]
    samples, damaged, ignored = 0, [], []
    for url in tqdm(todo, unit='shard', desc='indexing'):
        found = make_index(url)
        write_index(url, found.index)
        samples += len(found.index.hashes)
        damaged += found.damaged
        ignored += found.ignored
    print(f'{len(todo)} shard(s) with {samples:,} keys indexed, '
          f'{len(urls) - len(todo)} had an index')
    if ignored:
        print(f'note: {len(ignored):,} members are not images named '
              f'KEY.FIELD.SUFFIX and are ignored: {some(ignored)}')
    if damaged:
        print(f'note: {len(damaged):,} images cannot be read; training skips '
              'up to max_skipped of them, testing stops: '
              + '; '.join(text.rstrip('.') for text in damaged[:SHOWN]))


def is_indexed(url: str) -> bool:
    """Return whether a shard has its index.

    Raises:
        DataError: If the shard cannot be read.
    """
    from irsde_mm.io.shard_index import IndexProblem
    from irsde_mm.io.shards import Shard
    try:
        Shard(url)
    except IndexProblem:
        return False
    return True


def pack(args: argparse.Namespace) -> None:
    """Write shards with their indexes.

    A run that was stopped continues: shards that are as planned are kept.
    """
    from irsde_mm.io.photos import prepare_folder
    from irsde_mm.io.shard_writing import write_shard
    from tqdm.auto import tqdm
    if not args.out:
        raise ConfigError("--out is required: the start of the shards' names, "
                          'such as data/shards/train.')
    if '://' in args.out:
        raise ConfigError(f"'{args.out}' is not a local path: pack into a "
                          'folder, then copy the shards with their indexes.')
    if args.per_shard < 1 or args.max_size <= 0:
        raise ConfigError('--per-shard must be at least 1, and --max-size '
                          'above 0.')
    samples = samples_of(dataset_of(args), ', '.join(
        args.source or [args.config]))
    plan = {Path(f'{args.out}-{i:05d}{TAR}'): files_of(part)
            for i, part in enumerate(divide(
                samples, args.per_shard, args.max_size))}
    done = finished(plan, args.out)
    prepare_folder(Path(args.out).parent)
    for path, files in tqdm(plan.items(), unit='shard', desc='packing'):
        if path not in done:
            write_shard(path, files)
    pattern = f'{args.out}-{{00000..{len(plan) - 1:05d}}}{TAR}' \
        if len(plan) > 1 else str(*plan)
    renamed = [sample for sample in samples
               if '.' in sample.files[0][1].stem]
    if renamed:
        print(f'note: {len(renamed):,} names have dots, which end the key in '
              f"a shard; they became '_', as in '{renamed[0].key}'")
    print(f"{len(plan)} shard(s) with {len(samples):,} samples"
          + (f', {len(done)} of them from an earlier run' if done else '')
          + f"; train with dict(type='irsde_mm.ShardDataset', "
          f"urls='{pattern}', ...)")


def samples_of(dataset, where: str) -> List[Sample]:
    """Return the samples of a dataset of image files, sorted by key.

    Args:
        dataset (BaseDataset): Its samples have ``gt_path`` and, for pairs,
            ``img_path``.
        where (str): Where the images are from, for messages.

    Raises:
        DataError: If images are missing or broken, or two have the same key.
    """
    found: Dict[str, Sample] = {}
    problems = []
    for i in range(len(dataset)):
        info = dataset.get_data_info(i)
        paths = {name: Path(info[f'{name}_path']) for name in FIELDS
                 if f'{name}_path' in info}
        fields = FIELDS if 'img' in paths else dict(gt='gt')
        # the key ends at the first dot of a member's name
        key = paths.get('img', paths['gt']).stem.replace('.', '_')
        sample = Sample(key, [
            (f'{key}.{fields[name]}{path.suffix.lower()}', path)
            for name, path in paths.items()], sum(
                BLOCK + -(-path.stat().st_size // BLOCK) * BLOCK
                for path in paths.values()))
        if key in found:
            problems.append(f"'{found[key].files[0][1]}' and "
                            f"'{sample.files[0][1]}' have the key '{key}'")
        found[key] = sample
    if problems:
        raise listed(problems, where)
    return [found[key] for key in sorted(found)]


def dataset_of(args: argparse.Namespace):
    """Return the dataset of image files of --config or --source."""
    from irsde_mm.config.own_data import pair_names
    from irsde_mm.datasets import CleanImageDataset, PairedImageDataset
    if args.config and args.source:
        raise ConfigError('give one of --source and --config.')
    if args.config:
        if args.pairs:
            raise ConfigError('--pairs has no effect: the config names its '
                              'pairs.')
        return data_patches.build(args.config)[0]
    if len(args.source or []) != 1:
        raise ConfigError('give one folder (--source) or a --config to pack, '
                          'or tar files (--source) to index.')
    folder, = args.source
    if not Path(folder).is_dir():
        raise DataError(f"'{folder}' is not a folder; tar files that are "
                        "indexed must end in '.tar'.")
    names = pair_names(Path(folder), args.pairs)
    if names:
        return PairedImageDataset(folder, **names)
    return CleanImageDataset(folder)


def files_of(samples: List[Sample]) -> List[Tuple[str, Path]]:
    return [file for sample in samples for file in sample.files]


def divide(samples: List[Sample], per_shard: int,
           max_size: float) -> Iterator[List[Sample]]:
    """Yield the samples of each shard; the size is in units of 2^20
    bytes."""
    part, size = [], 0
    for sample in samples:
        if part and (len(part) == per_shard
                     or size + sample.size > max_size * 2**20):
            yield part
            part, size = [], 0
        part.append(sample)
        size += sample.size
    yield part


def finished(plan: Dict[Path, list], out: str) -> set:
    """Return the planned shards that exist, and complete their indexes.

    Raises:
        OutputError: If there are others under these names.
    """
    from irsde_mm.io.shard_index import read_index
    start = Path(out)
    found = set(start.parent.glob(f'{start.name}-*{TAR}')) \
        if start.parent.is_dir() else set()
    other = sorted(found - set(plan))
    for path in sorted(found & set(plan)):
        if not is_indexed(str(path)):
            index([str(path)])
        there = read_index(str(path))
        if {there.name(i): size for i, size in enumerate(there.size)} != {
                name: file.stat().st_size for name, file in plan[path]}:
            other.append(path)
    if other:
        raise OutputError(f'{some(list(map(str, other)))}: other shards have '
                          'these names and are not overwritten; use another '
                          '--out.')
    return found
