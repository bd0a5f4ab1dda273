"""Restores photos."""
import argparse
import sys
from pathlib import Path

from .. import cli

FAILED = 1  # exit code if some photos could not be restored


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('inputs', nargs='+', metavar='INPUT',
                        help="photos, folders, or patterns such as '*.jpg'")
    parser.add_argument('--out', required=True, help='folder for the results')
    parser.add_argument(
        '--model', help='config, work folder of a training run, or weights '
        'file; by default the newest run under work_dirs/')
    parser.add_argument('--checkpoint', help='weights')
    cli.sampler_arguments(parser)
    parser.add_argument('--seed', type=int,
                        help='another of the possible results')
    parser.add_argument('--device', help='cpu, cuda, cuda:1, ...')
    cli.tile_argument(parser)
    parser.add_argument('--batch-size', type=int, help='photos of (almost) '
                        'one size that are restored together at most; by '
                        'default a megapixel of them')
    parser.add_argument('--force', action='store_true', help='restore large '
                        'photos although memory seems not to suffice')
    parser.add_argument('--max-pixels', type=int, default=250_000_000,
                        help='refuse photos that declare more pixels '
                        '(default: %(default)s)')
    return parser


def main(args: argparse.Namespace) -> None:
    from ..apis import images
    from ..errors import ConfigError
    if args.batch_size is not None and args.batch_size < 1:
        raise ConfigError('--batch-size must be at least 1.')
    files = images.find_images(args.inputs)
    out = images.prepare_folder(args.out)
    targets = dict(zip(files, plan(files, out)))
    sizes, failed = look(files, args.max_pixels)
    model = load_model(args)

    from ..apis import memory
    if not args.force:
        for path, size in sizes.items():
            memory.check_memory(model, *size, path)
    failed += restore_all(model, args, sizes, targets)
    if failed:
        print(f'{len(failed)} of {len(files)} photos are not restored:',
              *failed, sep='\n', file=sys.stderr)
        sys.exit(FAILED)


def look(files, max_pixels: int) -> tuple:
    """Height and width of the photos that can be used, and what is wrong
    with others.

    Raises:
        DataError: If none can be used.
    """
    from ..datasets.image_reader import image_size
    from ..errors import ImageError
    sizes, failed = {}, []
    for path in files:
        try:
            sizes[path] = image_size(path, max_pixels)[::-1]
        except ImageError as error:
            failed.append(str(error))
    stop_without(sizes, failed)
    for message in failed:
        print(f'left out: {message}', file=sys.stderr)
    return sizes, failed


def stop_without(photos, failed) -> None:
    from ..datasets.base import listed
    from ..errors import DataError
    if not photos:
        raise DataError(failed[0] if len(failed) == 1 else
                        str(listed(failed, 'the photos')))


def restore_all(model, args: argparse.Namespace, sizes: dict,
                targets: dict) -> list:
    """Restores photos in batches and writes each as it is ready; gives what
    was wrong with others."""
    from ..apis import images, inference, restoring
    from tqdm.auto import tqdm
    written, failed, files = [], [], list(sizes)
    options, steps = dict(max_pixels=args.max_pixels), 1
    if hasattr(model, 'sampler') or args.sampler or args.steps is not None:
        sampler = inference.choose_sampler(model, args.sampler, args.steps)
        steps = sampler.num_steps or model.sde.num_steps
        options.update(sampler=sampler, seed=args.seed,
                       callback=lambda s, xs: bar.update(len(xs)))
    with tqdm(total=len(files) * steps, unit='step') as bar:
        done = 0
        for batch in restoring.in_batches(model, list(sizes.values()),
                                          args.batch_size):
            paths = [files[i] for i in batch]
            bar.set_description(paths[0].name)
            for path, result in attempt(model, paths, options):
                if isinstance(result, str):
                    failed.append(result)
                    continue
                images.write_image(targets[path], result)
                written.append(targets[path])
            # a photo with little noise took fewer steps
            done += len(batch) * steps
            bar.update(done - bar.n)
    stop_without(written, failed)
    print(*written, sep='\n')
    return failed


def attempt(model, paths: list, options: dict) -> list:
    """Pairs of a photo and its restored pixels, or what is wrong with it."""
    from ..apis import restoring
    from ..errors import ImageError
    try:
        return list(zip(paths, restoring.restore_batch(model, paths,
                                                       **options)))
    except ImageError as error:
        if len(paths) == 1:
            return [(paths[0], str(error))]
        return [pair for path in paths
                for pair in attempt(model, [path], options)]


def plan(files, out: Path):
    """Names of the results, none of which exists.

    Raises:
        OutputError: If one does, or two would be the same.
    """
    from ..errors import OutputError
    targets = [out / f'{path.stem}.png' for path in files]
    for target in targets:
        if target.exists():
            raise OutputError(f"'{target}' exists and is not overwritten: "
                              'choose another --out.')
    for target in targets:
        if targets.count(target) > 1:
            raise OutputError(f"two photos would both become '{target}': "
                              'restore them into different folders.')
    return targets


def load_model(args: argparse.Namespace):
    from ..apis import checkpoint, configs, init_restorer
    from ..errors import CheckpointError
    model = args.model
    if model is None:
        model = str(checkpoint.newest_run())
        print(f"using the newest run, '{model}'")
    elif args.checkpoint is None and not Path(model).is_dir() and (
            configs.find_config(model).suffix == '.py'):
        raise CheckpointError(f"'{model}' is a config: say with --checkpoint "
                              'which weights to use.')
    with cli.building(f"'{model}' cannot be built"):
        return init_restorer(model, args.checkpoint, args.device, args.tile)
