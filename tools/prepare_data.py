"""Lay out published data sets in the folders that the configs expect:
python tools/prepare_data.py rain100h --source rain100h.zip --out data"""
import argparse
import itertools
import json
import os
import re
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import Dict, List, NamedTuple, Optional, Tuple

import data_patches
import data_shards
from data_parts import Part, Source, some
from data_sources import SOURCES, UNVERIFIED, listing
from printing import print_table
from irsde_mm.commands import cli
from irsde_mm.errors import ConfigError, DataError, OutputError

OUT = 'data'


class Found(NamedTuple):
    """A file of a part, its name in pairs and its targets."""
    role: str
    name: str
    entry: object
    targets: Tuple[str, ...]


class Row(NamedTuple):
    """State of a folder."""
    role: str
    folder: str
    expected: Optional[int]
    found: int
    problem: str


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=listing(),
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('name', metavar='NAME',
                        choices=[*SOURCES, 'patches', 'shards'],
                        help='data set, see below, or patches, or shards')
    parser.add_argument('--source', nargs='+', metavar='PATH',
                        help='folders, zip or tar files with its images')
    parser.add_argument('--out', help='folder of all data sets (default: '
                        f'{OUT}); folder of the patches; start of the names '
                        'of shards')
    parser.add_argument('--copy', action='store_true', help='copy the '
                        'files of folders instead of linking to them')
    parser.add_argument('--subset', action='store_true',
                        help='accept an incomplete data set')
    parser.add_argument(
        '--pattern', nargs='+', action='extend', default=[],
        metavar='ROLE=REGEX', help='pattern of the files of a part, which has '
        'to match the whole path starting with the name of the source, such '
        r"as 'test_input=.*/rainy/rain-(?P<name>\d+)\.png'")
    parser.add_argument('--check', action='store_true',
                        help='check the data that is laid out, without '
                        '--source')
    data_patches.add_arguments(parser)
    data_shards.add_arguments(parser)
    return parser


def main(args: argparse.Namespace) -> None:
    from preparation import Layout
    if args.name == 'shards':
        data_shards.run(args)
        return
    args.out = args.out or OUT
    if args.name == 'patches':
        data_patches.cut(args)
        return
    source = SOURCES[args.name].with_patterns(args.pattern)
    out = Path(args.out)
    if args.check:
        finish(args.name, out, *survey(source, out, args.subset))
        return
    if not args.source:
        raise ConfigError('--source is required, except with --check.')
    places = sorted(map(os.path.abspath, args.source))
    stamp = out / f'.{args.name}.prepared.json'
    if is_prepared(source, out, stamp, args.subset, places):
        print(f"{args.name} is already prepared in '{out}'.")
        return
    if not source.verified:
        print(f'note: {UNVERIFIED}.')
    layout = Layout(out, args.copy)
    with ExitStack() as stack:
        lay_out(source, match(source, args, stack), layout, stamp)
    rows, problems = survey(source, out, args.subset)
    finish(args.name, out, rows, problems)
    content = dict(name=args.name, sources=places,
                   counts={row.role: row.found for row in rows})
    layout.put(stamp, None, lambda: json.dumps(content, indent=2).encode())
    print(f'terms of use: {source.terms}\n'
          f"used by: {', '.join(source.configs)}")
    if source.note:
        print(f'note: {source.note}')


def match(source: Source, args: argparse.Namespace,
          stack: ExitStack) -> List[Found]:
    """Return the files of a data set, in a fast order of reading.

    Raises:
        DataError: If files are missing, or several would become one.
    """
    from irsde_mm.errors import listed
    from preparation import read_source
    folders = {Path(args.out, target).parent
               for part in source.parts for target in part.targets}
    entries = [entry for place in args.source
               for entry in read_source(place, folders, stack)]
    found = []
    roles: Dict[str, dict] = {part.role: {} for part in source.parts}
    for entry, part in itertools.product(entries, source.parts):
        groups = re.fullmatch(part.pattern, entry.path, re.IGNORECASE)
        if groups is None:
            continue
        file = as_found(part, entry, groups)
        known = roles[part.role].setdefault(file.name, entry.path)
        if known is not entry.path:
            raise DataError(
                f"'{known}' and '{entry.path}' would both become "
                f"'{file.targets[0]}': name one of their folders as --source, "
                'or use --pattern.')
        found.append(file)
    if not found:
        raise no_match(source, [entry.path for entry in entries])
    problems = source.problems(roles, args.subset)
    if problems:
        raise DataError(f"{listed(problems, ', '.join(args.source))}\n"
                        'use --subset for an incomplete data set, --pattern '
                        'for other file names.')
    return found


def as_found(part: Part, entry, groups: re.Match) -> Found:
    stems = part.fill(groups.groupdict())
    suffix = PurePosixPath(entry.path).suffix.lower()
    return Found(part.role, PurePosixPath(stems[0]).name, entry,
                 tuple(stem + suffix for stem in stems))


def no_match(source: Source, paths: List[str]) -> DataError:
    """Return the error that no file matches, which names some of the files."""
    from preparation import ARCHIVE
    nested = [path for path in paths if ARCHIVE.search(path)]
    hint = 'describe the names with --pattern ROLE=REGEX'
    if nested:
        hint = ('unpack the archives inside, or name them with --source: '
                + some(nested))
    return DataError(
        'no file is named as in the published data set, such as '
        f"'{source.parts[0].example}'.\nFound {some(paths) or 'no file'}; "
        f'{hint}.')


def lay_out(source: Source, found: List[Found], layout, stamp: Path) -> None:
    """Write the missing files.

    Raises:
        OutputError: If other files are in the way; nothing is written then.
    """
    from irsde_mm.io.photos import prepare_folder
    from irsde_mm.errors import listed
    from tqdm.auto import tqdm
    prepare_folder(layout.root)
    crops = {pair.gt: pair for pair in source.pairs if pair.crop}
    likes = {(pair.gt, pair.partner(file.name)): file.targets[0]
             for pair in crops.values() for file in found
             if file.role == pair.img}
    problems = [problem for file in found for target in file.targets if (
        problem := layout.obstacle(file.entry, target, file.role in crops))]
    if problems:
        raise OutputError(f'{listed(problems, str(layout.root))}\nNothing was '
                          'changed; move these files or use another --out.')
    stamp.unlink(missing_ok=True)
    # cropped files come last, when the files that give their size exist
    for file in tqdm(sorted(found, key=lambda file: file.role in crops),
                     unit='file', desc='laying out'):
        layout.add(file.entry, file.targets, likes.get((file.role, file.name)))
    if layout.refused:
        print(f"note: '{layout.root}' does not support links; files were "
              'copied.')


def present(out: Path, part: Part, target: str) -> Dict[str, Path]:
    """Return the images of a target by name, including broken links."""
    from irsde_mm.io.image_files import by_stem, is_image
    folder = PurePosixPath(target).parent
    pattern = part.target_pattern(target)
    if not (out / folder).is_dir():
        return {}
    return by_stem(sorted(
        path for path in (out / folder).iterdir()
        if is_image(path) and pattern.fullmatch(f'{folder}/{path.stem}')))


def survey(source: Source, out: Path,
           subset: bool) -> Tuple[List[Row], List[str]]:
    """Return the state of the folders, and all problems."""
    from tqdm.auto import tqdm
    rows, images = [], []
    roles: Dict[str, dict] = {part.role: {} for part in source.parts}
    for part, target in ((p, t) for p in source.parts for t in p.targets):
        files = present(out, part, target)
        if target == part.targets[0]:
            roles[part.role] = files
        problem = part.problem(len(files), subset)
        if not problem and len(files) != len(roles[part.role]):
            problem = (f'{part.role}: {len(roles[part.role])} images in the '
                       'first folder')
        rows.append(Row(part.role, str(PurePosixPath(target).parent),
                        part.count, len(files), problem))
        images += [(part, path) for path in files.values()]
    sizes, problems = {}, []
    for part, path in tqdm(images, unit='image', desc='checking'):
        sizes[path], problem = check_image(part, path)
        problems += [problem] if problem else []
    pairs = source.problems(roles, subset=True)
    if not images:
        pairs = [f'no images of {source.title} found']
    return rows, [row.problem for row in rows if row.problem] + pairs + (
        problems + size_problems(source, roles, sizes))


def check_image(part: Part, path: Path) -> Tuple[Optional[tuple], str]:
    """Return the size of an image and its problem, if any."""
    from irsde_mm.io.reader import image_size
    from PIL import Image
    try:
        size = image_size(path)
    except DataError as error:
        return None, str(error).rstrip('.')
    if part.size and size != part.size:
        return size, f"'{path}' is {size[0]}x{size[1]}, not " + (
            '{}x{}'.format(*part.size))
    if part.mask:
        with Image.open(path) as image:
            if any(image.convert('L').histogram()[1:255]):
                return size, f"'{path}' is not pure black and white"
    return size, ''


def size_problems(source: Source, roles: Dict[str, dict],
                  sizes: dict) -> List[str]:
    """Return the problems of pairs whose sizes do not match."""
    problems = []
    for pair in source.pairs:
        for name, path in roles[pair.img].items():
            partner = roles[pair.gt].get(pair.partner(name))
            small, large = sizes[path], sizes.get(partner)
            if small and large and large != tuple(
                    pair.scale * side for side in small):
                problems.append("'{}' is {}x{} but '{}' {}x{}".format(
                    path, *small, partner, *large) + (
                        f', not {pair.scale} times that'
                        if pair.scale > 1 else ''))
    return problems


def is_prepared(source: Source, out: Path, stamp: Path, subset: bool,
                places: List[str]) -> bool:
    """Return True if there is nothing to do.

    If the data set is incomplete, other sources may add images.
    """
    try:
        content = json.loads(stamp.read_text())
        counts = dict(content['counts'])
        known = content['sources'] == places
    except (OSError, ValueError, KeyError, TypeError):
        return False
    rows, problems = survey(source, out, subset)
    return not problems and all(
        row.found == counts.get(row.role)
        and (known or row.expected in (None, row.found)) for row in rows)


def finish(name: str, out: Path, rows: List[Row],
           problems: List[str]) -> None:
    """Print the state of the folders.

    Raises:
        DataError: If there are problems.
    """
    from irsde_mm.errors import listed
    print_table(
        ('folder', 'published', 'found', ''),
        [(row.folder, str(row.expected or 'unknown'), str(row.found),
          'wrong' if row.problem else 'ok' if row.found else 'left out')
         for row in rows], title=f"{name} in '{out}'")
    if problems:
        raise listed(problems, str(out))


if __name__ == '__main__':
    cli.run(main, parser())
