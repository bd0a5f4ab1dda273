"""Restore photos."""
import argparse
import sys

from . import cli

FAILED = 1  # exit code if some photos could not be restored


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='example: %(prog)s photo.jpg --task derain --out restored')
    parser.add_argument('inputs', nargs='*', metavar='INPUT',
                        help="photos, folders (without their subfolders), or "
                        "patterns such as '*.jpg' and 'folder/**/*'")
    parser.add_argument('--out', required=True, help='folder for the results; '
                        'the folder structure of the inputs is kept if photos '
                        'have the same name')
    model_arguments(parser)
    cli.sampler_arguments(parser)
    parser.add_argument('--seed', type=int,
                        help='random seed (default: derived from the test '
                        'seed and the file name)')
    parser.add_argument('--crispness', type=float, metavar='S',
                        help='0 is the most faithful result, which is '
                        'smooth, 1 is a sample with all its detail, and up to '
                        '1.5 exaggerates the detail (default: 1)')
    consistency_arguments(parser)
    picture_arguments(parser)
    parser.add_argument('--batch-size', type=int, help='maximum number of '
                        'photos of (almost) the same size restored together '
                        '(default: as many as fit in a megapixel)')
    parser.add_argument('--force', action='store_true', help='restore large '
                        'photos even if the memory seems insufficient')
    cli.white_argument(parser)
    parser.add_argument('--max-pixels', type=int, default=250_000_000,
                        help='reject photos with more pixels (default: '
                        '%(default)s)')
    return parser


def model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that select the model, device and tiling."""
    model = parser.add_mutually_exclusive_group()
    model.add_argument('--task', help='bundled model, such as derain')
    model.add_argument(
        '--model', help='config, work directory of a training run, weights '
        'file, folder of save_pretrained, or hf://OWNER/NAME[@REVISION] on '
        'the Hugging Face Hub (default: the newest run in work_dirs/)')
    parser.add_argument('--checkpoint', help='weights file')
    parser.add_argument('--device', help='cpu, cuda, cuda:1, ...')
    cli.tile_argument(parser)


def consistency_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options for data consistency."""
    parser.add_argument(
        '--data-consistency', nargs='?', const='auto', metavar='OPERATOR',
        choices=('auto', 'mask', 'downsampling', 'blur'),
        help='make the results agree with the photos: mask keeps the known '
        'pixels, downsampling the low-resolution image, blur the blurred one '
        '(default: auto, as the model was trained)')
    parser.add_argument('--mask', metavar='FILE', help='mask of the photos, '
                        'white where they are known (default: pixels in the '
                        'color of the holes are missing)')
    parser.add_argument('--kernel', metavar='FILE', help='kernel of the blur, '
                        'an image, a text file of numbers or a .npy file')
    parser.add_argument('--data-noise', type=float, metavar='SIGMA',
                        help='noise in the photos, from 0 to 1, which the '
                        'results need not agree with (default: 0)')


def consistency(args: argparse.Namespace):
    """Return the option data_consistency of the inferencer.

    Raises:
        ConfigError: If the options do not fit together.
    """
    from ..errors import ConfigError
    files = dict(mask=args.mask, blur=args.kernel)
    given = [name for name, file in files.items() if file is not None]
    operator = args.data_consistency
    if operator is None:
        if given or args.data_noise is not None:
            raise ConfigError('--mask, --kernel and --data-noise require '
                              '--data-consistency.')
        return None
    if len(given) > 1 or (given and operator not in ('auto', *given)):
        raise ConfigError('--mask belongs to --data-consistency mask, '
                          '--kernel to --data-consistency blur.')
    if given:
        operator = dict(type='irsde_mm.MaskOperator', mask=args.mask) \
            if args.mask else dict(type='irsde_mm.BlurOperator',
                                   kernel=args.kernel)
    return dict(operator=None if operator == 'auto' else operator,
                sigma=args.data_noise or 0.)


def picture_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options for additional images."""
    parser.add_argument('--compare', action='store_true',
                        help='also write degraded and restored side by side')
    parser.add_argument('--trajectory', action='store_true',
                        help='also write states of the sampling trajectory, '
                        'as a strip and as a GIF')
    parser.add_argument('--samples', type=int, default=1, metavar='N',
                        help='write N draws and a heat map of their spread, '
                        'which is large where the model is uncertain')
    parser.add_argument('--interval', type=float, metavar='LEVEL',
                        help='also write the intervals that contain this '
                        'share of the pixels of the clean photo on average, '
                        '0.5 to 0.99: NAME_lower.png, NAME_upper.png, and '
                        'NAME_width.png, whose values are the widths in gray '
                        'levels; needs a model from tools/calibrate.py')
    parser.add_argument('--interpolate', nargs=2, metavar=('A', 'B'),
                        help='write images between two photos of the same '
                        'size, mixed halfway through the process, and a strip '
                        'of them')


def main(args: argparse.Namespace) -> None:
    from ..apis import RestorationInferencer
    from ..errors import ConfigError
    if bool(args.inputs) == bool(args.interpolate):
        raise ConfigError('specify either photos to restore or two photos '
                          'with --interpolate.')
    consistency(args)  # before the model is loaded
    model = choose_model(args)
    inferencer = RestorationInferencer(model, args.checkpoint, args.device,
                                       args.tile)
    options = {name: getattr(args, name) for name in (
        'sampler', 'steps', 'seed', 'crispness', 'interval', 'max_pixels',
        'white')}
    options.update(out_dir=args.out, force=args.force,
                   data_consistency=consistency(args))
    if args.interpolate:
        inferencer.interpolate(*args.interpolate, **options)
        print(args.out)
    else:
        restore(inferencer, args, options)


def restore(inferencer, args: argparse.Namespace, options: dict) -> None:
    """Restore photos, writing each as soon as it is ready."""
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
            tqdm.write(f'skipped: {result.error}', file=sys.stderr)
    print(*files, sep='\n')
    if failed:
        print(f'{len(failed)} of {len(failed) + restored} photos could not be '
              'restored:', *failed, sep='\n', file=sys.stderr)
        sys.exit(FAILED)


def choose_model(args: argparse.Namespace) -> str:
    """Return the selected model, or the newest run."""
    from ..model_files import bundled_model
    from ..model_files.runs import newest_run
    if args.task is not None:
        return str(bundled_model(args.task))
    if args.model is not None:
        return args.model
    model = str(newest_run())
    print(f"using the newest run, '{model}'")
    return model
