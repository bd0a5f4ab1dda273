"""Export a model to an ONNX or torch.export file with its sampler."""
import argparse
from pathlib import Path

from . import cli


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='example: %(prog)s derain --format onnx --steps 3 --out '
        'derain.onnx')
    parser.add_argument('model', metavar='MODEL', help='bundled model, '
                        'exported file, checkpoint, work directory, or '
                        'hf://OWNER/NAME[@REVISION]')
    parser.add_argument('--format', choices=('onnx', 'torch'), required=True,
                        help='onnx for onnxruntime, torch for '
                        'torch.export.load')
    parser.add_argument('--out', metavar='FILE', help='file to write, which '
                        'must not exist (default: the name of the model, '
                        'with .onnx or .pt2)')
    cli.sampler_arguments(parser)
    cli.self_ensemble_argument(parser)
    parser.add_argument('--crispness', type=float, metavar='S', help='0 is '
                        'the most faithful result, 1 a sample (default: 1)')
    parser.add_argument('--sigma', type=float, help='noise level of the '
                        'photos in [0, 1], for models that otherwise '
                        'estimate it')
    parser.add_argument('--dynamic', action='store_true', help='photos of '
                        'any size (default)')
    parser.add_argument('--height', type=int, help='height of all photos')
    parser.add_argument('--width', type=int, help='width of all photos')
    parser.add_argument('--half', action='store_true', help='store weights '
                        'in float16 (onnx): half the size')
    return parser


def main(args: argparse.Namespace) -> None:
    size = fixed_size(args)
    out = new_file(args)
    if args.format == 'onnx':
        require('onnx', 'onnxscript', 'onnxruntime')
    from ..apis.inference import open_pipeline
    from ..errors import building
    from ..graphs.export import ExportOptions, export_graph
    from ..io.photos import prepare_folder
    with building(f"'{args.model}' cannot be built"):
        pipeline = open_pipeline(args.model, device='cpu',
                                 self_ensemble=args.self_ensemble)
    prepare_folder(str(out.parent))
    spec, difference = export_graph(pipeline, out, ExportOptions(
        args.format, args.sampler, args.steps, args.crispness, args.sigma,
        size, args.half))
    print(f"exported to '{out}': {spec.calls} network call(s), "
          f'{out.stat().st_size / 1e6:.2f} MB; largest difference from the '
          f'model {difference:.1e}')


def fixed_size(args: argparse.Namespace):
    """Return (height, width), or None for any size.

    Raises:
        ConfigError: If the options do not fit together.
    """
    from ..errors import ConfigError
    sides = (args.height, args.width)
    if sides == (None, None):
        return None
    if args.dynamic or None in sides:
        raise ConfigError('specify --height and --width together, or '
                          '--dynamic.')
    return sides


def new_file(args: argparse.Namespace) -> Path:
    """Return the path of the file to write.

    Raises:
        OutputError: If it has another extension, or exists.
    """
    from ..errors import OutputError
    from ..io.files import GRAPHS
    suffix = GRAPHS[args.format]
    out = Path(args.out or Path(args.model).stem + suffix)
    if out.suffix != suffix:
        raise OutputError(f"'{out}' must end in {suffix}.")
    if out.exists():
        raise OutputError(f"'{out}' exists and is not overwritten.")
    return out


def require(*names: str) -> None:
    """Check that packages are installed, before any work.

    Raises:
        ConfigError: Naming the extra that installs the first missing one.
    """
    from importlib.util import find_spec

    from ..errors import missing_package
    for name in names:
        if find_spec(name) is None:
            raise missing_package(ImportError(name=name))
