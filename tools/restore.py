"""Restores photos: python tools/restore.py photo.jpg --out restored"""
import argparse
from pathlib import Path

from irsde_mm import cli


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
    return parser


def main(args: argparse.Namespace) -> None:
    from irsde_mm.apis import images
    from irsde_mm.errors import ConfigError
    if args.batch_size is not None and args.batch_size < 1:
        raise ConfigError('--batch-size must be at least 1.')
    files = images.find_images(args.inputs)
    out = images.prepare_folder(args.out)
    targets = plan(files, out)
    sizes = [images.check_image(path) for path in files]
    model = load_model(args)

    from irsde_mm.apis import memory
    if not args.force:
        for path, size in zip(files, sizes):
            memory.check_memory(model, *size, path)
    restore_all(model, args, files, sizes, targets)
    for target in targets:
        print(target)


def restore_all(model, args: argparse.Namespace, files, sizes, targets
                ) -> None:
    """Restores the photos in batches, and writes each as it is ready."""
    from irsde_mm.apis import images, inference, restoring
    from tqdm.auto import tqdm
    options, steps = {}, 1  # no diffusion: the network is called once
    if hasattr(model, 'sampler') or args.sampler or args.steps is not None:
        sampler = inference.choose_sampler(model, args.sampler, args.steps)
        steps = sampler.num_steps or model.sde.num_steps
        options = dict(sampler=sampler, seed=args.seed,
                       callback=lambda s, xs: bar.update(len(xs)))
    with tqdm(total=len(files) * steps, unit='step') as bar:
        done = 0
        for batch in restoring.in_batches(model, sizes, args.batch_size):
            bar.set_description(files[batch[0]].name)
            results = restoring.restore_batch(
                model, [files[i] for i in batch], **options)
            for i, result in zip(batch, results):
                images.write_image(targets[i], result)
            # a photo with little noise took fewer steps
            done += len(batch) * steps
            bar.update(done - bar.n)


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
        return init_restorer(model, args.checkpoint, args.device, args.tile)


if __name__ == '__main__':
    cli.run(main, parser())
