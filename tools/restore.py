"""Restores photos: python tools/restore.py photo.jpg --out restored"""
import argparse
from pathlib import Path

from irsde_mm import cli

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
    return parser


def main(args: argparse.Namespace) -> None:
    from irsde_mm.apis import images
    files = images.find_images(args.inputs)
    out = images.prepare_folder(args.out)
    targets = plan(files, out)
    sizes = [images.check_image(path) for path in files]
    model = load_model(args)
    if not args.force:
        for path, (height, width) in zip(files, sizes):
            check_memory(model, height, width, path)

    from irsde_mm.apis import inference
    from tqdm.auto import tqdm
    sampler = None
    if args.sampler is not None or args.steps is not None:
        sampler = inference.choose_sampler(model, args.sampler, args.steps)
    steps = 1  # a model that is no diffusion calls its network once
    if hasattr(model, 'sampler'):
        steps = (sampler or model.sampler).num_steps or model.sde.num_steps
    with tqdm(total=len(files) * steps, unit='step') as bar:
        for done, (path, target) in enumerate(zip(files, targets)):
            # a photo with little noise took fewer steps
            bar.update(done * steps - bar.n)
            bar.set_description(path.name)
            options = dict(callback=lambda s, xs: bar.update(),
                           sampler=sampler, seed=args.seed)
            if not hasattr(model, 'sampler'):
                options = {}
                bar.update()
            images.write_image(target,
                               inference.restore(model, path, **options))
        bar.update(bar.total - bar.n)
    for target in targets:
        print(target)


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
