"""Restores photos: python tools/restore.py photo.jpg --out restored"""
import argparse
import sys
from pathlib import Path

from irsde_mm import cli

FAILED = 1  # exit code if some photos could not be restored
MEGAPIXELS = 4  # above, memory is looked at first


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
    parser.add_argument('--force', action='store_true', help='restore photos '
                        f'above {MEGAPIXELS} megapixels although memory may '
                        'not suffice')
    parser.add_argument('--max-pixels', type=int, default=250_000_000,
                        help='refuse photos that declare more pixels '
                        '(default: %(default)s)')
    return parser


def main(args: argparse.Namespace) -> None:
    from irsde_mm.apis import images, inference
    files = images.find_images(args.inputs)
    out = images.prepare_folder(args.out)
    targets = dict(zip(files, plan(files, out)))
    sizes, failed = look(files, args.max_pixels)
    model = load_model(args)
    if not args.force:
        for path, (width, height) in sizes.items():
            check_memory(model, height, width, path)
    sampler, options = None, dict(max_pixels=args.max_pixels)
    if args.sampler is not None or args.steps is not None:
        sampler = inference.choose_sampler(model, args.sampler, args.steps)
    if hasattr(model, 'sampler'):
        options.update(sampler=sampler or model.sampler, seed=args.seed)
    failed += restore_all(model, {path: targets[path] for path in sizes},
                          options)
    if failed:
        print(f'{len(failed)} of {len(files)} photos are not restored:',
              *failed, sep='\n', file=sys.stderr)
        sys.exit(FAILED)


def look(files, max_pixels: int) -> tuple:
    """Sizes of the photos that can be used, and what is wrong with others.

    Raises:
        DataError: If none can be used.
    """
    from irsde_mm.datasets.image_reader import image_size
    from irsde_mm.errors import ImageError
    sizes, failed = {}, []
    for path in files:
        try:
            sizes[path] = image_size(path, max_pixels)
        except ImageError as error:
            failed.append(str(error))
    stop_without(sizes, failed)
    for message in failed:
        print(f'left out: {message}', file=sys.stderr)
    return sizes, failed


def stop_without(photos, failed) -> None:
    from irsde_mm.datasets.base import listed
    from irsde_mm.errors import DataError
    if not photos:
        raise DataError(failed[0] if len(failed) == 1 else
                        str(listed(failed, 'the photos')))


def restore_all(model, targets: dict, options: dict) -> list:
    """Restores photos into files; gives what was wrong with others."""
    from irsde_mm.apis import images, inference
    from irsde_mm.errors import ImageError
    from tqdm.auto import tqdm
    written, failed, steps = [], [], 1
    if 'sampler' in options:  # others call their network once
        steps = options['sampler'].num_steps or model.sde.num_steps
        options = dict(options, callback=lambda s, xs: bar.update())
    with tqdm(total=len(targets) * steps, unit='step') as bar:
        for done, (path, target) in enumerate(targets.items()):
            # a photo with little noise took fewer steps
            bar.update(done * steps - bar.n)
            bar.set_description(path.name)
            try:
                restored = inference.restore(model, path, **options)
            except ImageError as error:
                failed.append(str(error))
                continue
            images.write_image(target, restored)
            written.append(target)
        bar.update(bar.total - bar.n)
    stop_without(written, failed)
    print(*written, sep='\n')
    return failed


def plan(files, out: Path):
    """Names of the results, none of which exists.

    Raises:
        OutputError: If one does, or two would be the same.
    """
    from irsde_mm.errors import OutputError
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
    from irsde_mm.apis import checkpoint, configs, init_restorer
    from irsde_mm.errors import CheckpointError
    model = args.model
    if model is None:
        model = str(checkpoint.newest_run())
        print(f"using the newest run, '{model}'")
    elif args.checkpoint is None and not Path(model).is_dir() and (
            configs.find_config(model).suffix == '.py'):
        raise CheckpointError(f"'{model}' is a config: say with --checkpoint "
                              'which weights to use.')
    with cli.building(f"'{model}' cannot be built"):
        return init_restorer(model, args.checkpoint, args.device)


def check_memory(model, h: int, w: int, path: Path) -> None:
    """Stops before a photo that is large, with what it would need.

    Raises:
        DataError: With the estimate.
    """
    from irsde_mm.apis.memory import estimate_memory
    from irsde_mm.errors import DataError
    if h * w <= MEGAPIXELS * 1e6:
        return
    need = estimate_memory(model, h, w) / 2**30
    raise DataError(f"'{path}' has {h * w / 1e6:.1f} megapixels and would "
                    f'need about {need:.1f} GiB of memory; make it smaller, '
                    'or go on with --force.')


if __name__ == '__main__':
    cli.run(main, parser())
