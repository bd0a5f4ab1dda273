"""Lays out published data sets in the folders that the configs name:
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
from data_parts import Part, Source, some
from data_sources import SOURCES, UNVERIFIED, listing
from irsde_mm.commands import cli
from irsde_mm.errors import ConfigError, DataError, OutputError


class Found(NamedTuple):
    """A file of a part, its name in pairs and where it goes."""
    role: str
    name: str
    entry: object
    targets: Tuple[str, ...]


class Row(NamedTuple):
    """What lies in a folder."""
    role: str
    folder: str
    expected: Optional[int]
    found: int
    problem: str


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=listing(),
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('name', metavar='NAME', choices=[*SOURCES, 'patches'],
                        help='a data set, see below; or patches')
    parser.add_argument('--source', nargs='+', metavar='PATH',
                        help='folders, zip or tar files that hold it')
    parser.add_argument('--out', default='data',
                        help="folder of all data sets, by default 'data'")
    parser.add_argument('--copy', action='store_true', help='copy what lies '
                        'in folders; by default it is linked to')
    parser.add_argument('--subset', action='store_true',
                        help='take what is there, if not all is')
    parser.add_argument(
        '--pattern', nargs='+', action='extend', default=[],
        metavar='ROLE=REGEX', help='how the files of a part are named: '
        'matches their whole path, from the name of the source on, such as '
        r"'test_input=.*/rainy/rain-(?P<name>\d+)\.png'")
    parser.add_argument('--check', action='store_true',
                        help='look at what is laid out; needs no --source')
    data_patches.add_arguments(parser)
    return parser


def main(args: argparse.Namespace) -> None:
    from preparation import Layout
    if args.name == 'patches':
        data_patches.cut(args)
        return
    source = SOURCES[args.name].with_patterns(args.pattern)
    out = Path(args.out)
    if args.check:
        finish(args.name, out, *survey(source, out, args.subset))
        return
    if not args.source:
        raise ConfigError('--source has to say where the files are; only '
                          '--check goes without.')
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
    """The files of a data set, in the order they are best read in.

    Raises:
        DataError: If they are not all there, or there are too many.
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
                f"'{file.targets[0]}': give one of their folders, or a "
                '--pattern.')
        found.append(file)
    if not found:
        raise nothing(source, [entry.path for entry in entries])
    problems = source.problems(roles, args.subset)
    if problems:
        raise DataError(f"{listed(problems, ', '.join(args.source))}\n"
                        '--subset takes what is there, --pattern other names.')
    return found


def as_found(part: Part, entry, groups: re.Match) -> Found:
    stems = part.fill(groups.groupdict())
    suffix = PurePosixPath(entry.path).suffix.lower()
    return Found(part.role, PurePosixPath(stems[0]).name, entry,
                 tuple(stem + suffix for stem in stems))


def nothing(source: Source, paths: List[str]) -> DataError:
    """The error that no file matches, with some that there are."""
    from preparation import ARCHIVE
    nested = [path for path in paths if ARCHIVE.search(path)]
    hint = 'say with --pattern ROLE=REGEX how they are named'
    if nested:
        hint = ('archives inside have to be unpacked or named by --source: '
                + some(nested))
    return DataError(
        'no file is named as in the published set, such as '
        f"'{source.parts[0].example}'.\nThere is {some(paths) or 'no file'}; "
        f'{hint}.')


def lay_out(source: Source, found: List[Found], layout, stamp: Path) -> None:
    """Writes what is missing.

    Raises:
        OutputError: Before, if other files are in the way.
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
                          'changed: move them or choose another --out.')
    stamp.unlink(missing_ok=True)
    # what is cropped comes last, when what it is cropped to is there
    for file in tqdm(sorted(found, key=lambda file: file.role in crops),
                     unit='file', desc='laying out'):
        layout.add(file.entry, file.targets, likes.get((file.role, file.name)))
    if layout.refused:
        print(f"note: there are no links in '{layout.root}', files were "
              'copied.')


def present(out: Path, part: Part, target: str) -> Dict[str, Path]:
    """The images that fill a target, by name; links that lead nowhere too."""
    from irsde_mm.io.image_files import by_stem, is_image
    folder, own = PurePosixPath(target).parent, part.own(target)
    if not (out / folder).is_dir():
        return {}
    return by_stem(sorted(
        path for path in (out / folder).iterdir()
        if is_image(path) and own.fullmatch(f'{folder}/{path.stem}')))


def survey(source: Source, out: Path,
           subset: bool) -> Tuple[List[Row], List[str]]:
    """What is laid out, and all that is wrong with it."""
    from tqdm.auto import tqdm
    rows, looks = [], []
    roles: Dict[str, dict] = {part.role: {} for part in source.parts}
    for part, target in ((p, t) for p in source.parts for t in p.targets):
        files = present(out, part, target)
        if target == part.targets[0]:
            roles[part.role] = files
        problem = part.problem(len(files), subset)
        if not problem and len(files) != len(roles[part.role]):
            problem = f'{part.role}: {len(roles[part.role])} images elsewhere'
        rows.append(Row(part.role, str(PurePosixPath(target).parent),
                        part.count, len(files), problem))
        looks += [(part, path) for path in files.values()]
    sizes, problems = {}, []
    for part, path in tqdm(looks, unit='image', desc='checking'):
        sizes[path], problem = look(part, path)
        problems += [problem] if problem else []
    pairs = source.problems(roles, subset=True)
    if not looks:
        pairs = [f'nothing of {source.title} is there']
    return rows, [row.problem for row in rows if row.problem] + pairs + (
        problems + unequal(source, roles, sizes))


def look(part: Part, path: Path) -> Tuple[Optional[tuple], str]:
    """The size of an image and what is wrong with it."""
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


def unequal(source: Source, roles: Dict[str, dict], sizes: dict) -> List[str]:
    """Pairs whose sizes do not fit."""
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
    """Whether there is nothing to do. Where less than the whole set is laid
    out, other sources may have more."""
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
    """Prints what is laid out.

    Raises:
        DataError: With all that is wrong with it.
    """
    from irsde_mm.errors import listed
    from rich.console import Console
    from rich.table import Table
    table = Table(title=f"{name} in '{out}'")
    for column in ('folder', 'published', 'there', ''):
        table.add_column(column, justify='left' if not column else 'right')
    for row in rows:
        state = 'wrong' if row.problem else 'ok' if row.found else 'left out'
        table.add_row(row.folder, str(row.expected or 'not known'),
                      str(row.found), state)
    Console().print(table)
    if problems:
        raise listed(problems, str(out))


if __name__ == '__main__':
    cli.run(main, parser())
