"""Restore photos and clips."""
import argparse
import sys
from typing import Iterable, Iterator

from . import cli
from .restore_graph import restored_by_graph
from .restore_scale import (check_options, engine_arguments, restore_scale,
                            wants_engine)

FAILED = 1  # exit code if some photos could not be restored
#: Bundled model for photos of unknown degradation.
DEFAULT_TASK = 'auto'


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='example: %(prog)s photo.jpg --task derain')
    parser.add_argument('inputs', nargs='*', metavar='INPUT',
                        help="photos, clips (.mp4, .mov, .mkv, .webm, .avi, "
                        ".y4m, .gif), folders (without their subfolders), or "
                        "patterns such as '*.jpg' and 'folder/**/*'")
    parser.add_argument('--out', default='restored', help='folder for the '
                        'results; the folder structure of the inputs is kept '
                        'if photos have the same name (default: %(default)s)')
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
    clip_arguments(parser)
    picture_arguments(parser)
    parser.add_argument('--batch-size', type=int, help='maximum number of '
                        'photos of (almost) the same size restored together '
                        '(default: as many as fit in a megapixel; with '
                        '--engine one, so that results are the same for any '
                        'number of workers)')
    parser.add_argument('--force', action='store_true', help='restore large '
                        'photos even if the memory seems insufficient')
    cli.white_argument(parser)
    parser.add_argument('--max-pixels', type=int, default=250_000_000,
                        help='reject photos with more pixels (default: '
                        '%(default)s)')
    engine_arguments(parser)
    return parser


def clip_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options for clips."""
    parser.add_argument('--video', action='store_true',
                        help='the photos in each folder are the frames of a '
                        'clip; a pattern may number them, as in shot/%%04d.png'
                        ' (their results fill a folder)')
    parser.add_argument('--noise', choices=('shared', 'flow', 'frame'),
                        help='noise of the frames of a clip: the same for all,'
                        ' so that they do not flicker (shared, the default), '
                        'the same moved with the picture (flow), or one of '
                        'their own (frame)')


def model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that select the model, device and tiling."""
    model = parser.add_mutually_exclusive_group()
    model.add_argument('--task', help='bundled model, such as derain; auto '
                       'is for any degradation')
    model.add_argument(
        '--model', help='config, work directory of a training run, weights '
        'file, folder of save_pretrained, hf://OWNER/NAME[@REVISION] on the '
        'Hugging Face Hub, or a file of irsde export (.onnx, .pt2), whose '
        'settings are fixed (default: the newest run in work_dirs/, otherwise '
        f'--task {DEFAULT_TASK})')
    parser.add_argument('--checkpoint', help='weights file')
    parser.add_argument('--device', help='cpu, cuda, cuda:1, ...')
    cli.tile_argument(parser)
    cli.self_ensemble_argument(parser)


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
    from ..errors import ConfigError
    from ..io.files import is_graph
    if bool(args.inputs) == bool(args.interpolate):
        raise ConfigError('specify either photos or clips to restore, or '
                          'two photos with --interpolate.')
    consistency(args)  # before the model is loaded
    defaults = vars(parser().parse_args([]))
    if wants_engine(args):
        check_options(args, defaults)
        if restore_scale(args, choose_model(args), consistency(args)):
            sys.exit(FAILED)
        return
    if args.model is not None and is_graph(args.model):
        report(restored_by_graph(args, defaults))
        return
    options = {name: getattr(args, name) for name in (
        'sampler', 'steps', 'seed', 'crispness', 'interval', 'max_pixels',
        'white')}
    options.update(out_dir=args.out, force=args.force,
                   data_consistency=consistency(args))
    if args.interpolate:
        check_clip_options(args)
        load(args).interpolate(*args.interpolate, **options)
        print(args.out)
        return
    options.update(samples=args.samples, compare=args.compare,
                   trajectory=args.trajectory, batch_size=args.batch_size)
    jobs, photos = open_inputs(args, options)  # before the model is loaded
    restore(load(args), jobs, photos, args.noise, options)


def check_clip_options(args: argparse.Namespace) -> None:
    """Check that no option for clips is given for photos.

    Raises:
        ConfigError: If one is given.
    """
    from ..errors import ConfigError
    for name in ('video', 'noise'):
        if getattr(args, name):
            raise ConfigError(f'--{name} applies to clips, but the inputs are '
                              'photos.')


def open_inputs(args: argparse.Namespace, options: dict) -> tuple:
    """Return the opened clips and the names of photos among the inputs.

    Raises:
        IRSDEError: If an option does not fit, or nothing can be restored.
    """
    from ..io.finding_clips import split_inputs
    sources, photos = split_inputs(args.inputs, args.video)
    if not sources:
        check_clip_options(args)
        return [], photos
    from ..apis.clips import open_clips
    from ..apis.options import Options
    jobs = open_clips(sources, Options(**options))
    if not photos:
        stop_if_all_failed([job.error for job in jobs])
    return jobs, photos


def stop_if_all_failed(errors: list) -> None:
    """Raise the errors of clips as one, unless one of them is None.

    Raises:
        DataError: If all clips failed.
    """
    from ..errors import DataError, listed
    if all(errors):
        raise errors[0] if len(errors) == 1 else DataError(
            str(listed([str(error) for error in errors], 'the clips')))


def load(args: argparse.Namespace):
    """Load the selected model."""
    from ..apis import RestorationInferencer
    return RestorationInferencer(choose_model(args), args.checkpoint,
                                 args.device, args.tile, args.self_ensemble)


def restore(inferencer, jobs: list, photos: list, noise: str,
            options: dict) -> None:
    """Restore clips and photos, writing each as soon as it is ready."""
    report(results(inferencer, jobs, photos, noise, options), bool(jobs))


def report(results: Iterable, clips: bool = False) -> None:
    """Print the files of the results, of photos or also of clips, and the
    errors."""
    from tqdm.auto import tqdm
    failed, files, restored = [], [], 0
    for result in results:
        files += result.files
        if result.error is None:
            restored += 1
            if result.changes:
                from ..inference.change_kinds import describe_changes
                tqdm.write(f'{result.name}: '
                           f'{describe_changes(result.changes)}',
                           file=sys.stderr)
        else:
            failed.append(result.error)
            what = 'damaged' if result.files else 'skipped'
            tqdm.write(f'{what}: {result.error}', file=sys.stderr)
    if not files:
        stop_if_all_failed(failed)
    print(*files, sep='\n')
    if failed:
        what = 'photos and clips' if clips else 'photos'
        print(f'{len(failed)} of {len(failed) + restored} {what} could not be '
              'restored' + (' completely:' if clips else ':'), *failed,
              sep='\n', file=sys.stderr)
        sys.exit(FAILED)


def results(inferencer, jobs: list, photos: list, noise: str,
            options: dict) -> Iterator:
    """Yield the results of clips, then those of photos."""
    from ..apis.results import Restoration
    from ..errors import DataError
    if jobs:
        from ..apis.clips import restore_clips
        from ..apis.options import Options
        yield from restore_clips(inferencer.pipeline, jobs,
                                 Options(**options), noise)
    try:
        yield from inferencer.stream(photos, **options) if photos else ()
    except DataError as error:  # all photos failed, but not the clips
        if not jobs:
            raise
        yield Restoration(', '.join(photos), error=error)


def choose_model(args: argparse.Namespace) -> str:
    """Return the selected model, the newest run, or the bundled model for any
    degradation.

    Raises:
        ConfigError: If there is a checkpoint without a model.
    """
    from ..errors import ConfigError
    from ..model_files import bundled_model
    from ..model_files.runs import newest_run
    if args.task is not None:
        return str(bundled_model(args.task))
    if args.model is not None:
        return args.model
    run = newest_run()
    if run is not None:
        print(f"using the newest run, '{run}'")
        return str(run)
    if args.checkpoint is not None:
        raise ConfigError('--checkpoint requires --model CONFIG.')
    return str(bundled_model(DEFAULT_TASK))
