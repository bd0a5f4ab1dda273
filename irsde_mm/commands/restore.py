"""Restores photos."""
import argparse
import sys

from . import cli

FAILED = 1  # exit code if some photos could not be restored


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='example: %(prog)s photo.jpg --task derain --out restored')
    parser.add_argument('inputs', nargs='*', metavar='INPUT',
                        help="photos, folders (the images directly in them), "
                        "or patterns such as '*.jpg' and 'folder/**/*'")
    parser.add_argument('--out', required=True, help='folder for the results; '
                        'photos with the same name keep their folders in it')
    model_arguments(parser)
    cli.sampler_arguments(parser)
    parser.add_argument('--seed', type=int,
                        help='another of the possible results')
    picture_arguments(parser)
    parser.add_argument('--batch-size', type=int, help='photos of (almost) '
                        'one size that are restored together at most; by '
                        'default a megapixel of them')
    parser.add_argument('--force', action='store_true', help='restore large '
                        'photos although memory seems not to suffice')
    cli.white_argument(parser)
    parser.add_argument('--max-pixels', type=int, default=250_000_000,
                        help='refuse photos that declare more pixels '
                        '(default: %(default)s)')
    return parser


def model_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that choose a model and where it works."""
    model = parser.add_mutually_exclusive_group()
    model.add_argument('--task', help='a model that comes with irsde_mm, '
                       'such as derain')
    model.add_argument(
        '--model', help='config, work folder of a training run, or weights '
        'file; by default the newest run under work_dirs/')
    parser.add_argument('--checkpoint', help='weights')
    parser.add_argument('--device', help='cpu, cuda, cuda:1, ...')
    cli.tile_argument(parser)


def picture_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that ask for more than one restored image of a photo."""
    parser.add_argument('--compare', action='store_true',
                        help='also write degraded beside restored')
    parser.add_argument('--trajectory', action='store_true',
                        help='also write states on the way back, as a strip '
                        'and as a GIF')
    parser.add_argument('--samples', type=int, default=1, metavar='N',
                        help='write N of the possible results and, as a heat '
                        'map, how far they lie apart: where the model guesses')
    parser.add_argument('--interpolate', nargs=2, metavar=('A', 'B'),
                        help='write images between two photos of one size, '
                        'mixed half-way into the process, and a strip of them')


def main(args: argparse.Namespace) -> None:
    from ..apis import RestorationInferencer
    from ..errors import ConfigError
    if bool(args.inputs) == bool(args.interpolate):
        raise ConfigError('name the photos to restore, or two with '
                          '--interpolate.')
    model = choose_model(args)
    inferencer = RestorationInferencer(model, args.checkpoint, args.device,
                                       args.tile)
    options = {name: getattr(args, name) for name in (
        'sampler', 'steps', 'seed', 'max_pixels', 'white')}
    options.update(out_dir=args.out, force=args.force)
    if args.interpolate:
        inferencer.interpolate(*args.interpolate, **options)
        print(args.out)
    else:
        restore(inferencer, args, options)


def restore(inferencer, args: argparse.Namespace, options: dict) -> None:
    """Restores photos, each written as it is ready."""
    from tqdm.auto import tqdm
    failed, files, restored = [], [], 0
    for result in inferencer.stream(
            args.inputs, **options, samples=args.samples,
            compare=args.compare, trajectory=args.trajectory,
            batch_size=args.batch_size):
        files += result.files
        if result.error is None:
            restored += 1
        else:
            failed.append(str(result.error))
            tqdm.write(f'left out: {result.error}', file=sys.stderr)
    print(*files, sep='\n')
    if failed:
        print(f'{len(failed)} of {len(failed) + restored} photos are not '
              'restored:', *failed, sep='\n', file=sys.stderr)
        sys.exit(FAILED)


def choose_model(args: argparse.Namespace) -> str:
    """The model that is asked for, or the newest run's."""
    from ..model_files import bundled_model
    from ..model_files.runs import newest_run
    if args.task is not None:
        return str(bundled_model(args.task))
    if args.model is not None:
        return args.model
    model = str(newest_run())
    print(f"using the newest run, '{model}'")
    return model
