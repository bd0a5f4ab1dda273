"""Export a trained model to a single file for distribution:
python tools/export.py work_dirs/derain --out derain.safetensors"""
import argparse
from pathlib import Path
from typing import Optional, Tuple

from irsde_mm.commands import cli
from irsde_mm.errors import CheckpointError, OutputError, building


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('source', metavar='CHECKPOINT_OR_WORK_DIR',
                        help='checkpoint, or work folder, of which the best '
                        'checkpoint is used, or else the last')
    parser.add_argument('--config', help='path or name of the config '
                        "(default: the one in the checkpoint's folder)")
    parser.add_argument('--out', required=True, metavar='FILE.safetensors',
                        help='file to write; must not exist')
    parser.add_argument('--licence', metavar='TEXT', help='terms of use to '
                        "store in the file (default: 'not given')")
    parser.add_argument('--half', action='store_true', help='store the '
                        'weights in float16, which halves the file; '
                        'models compute in float32')
    return parser


def main(args: argparse.Namespace) -> None:
    from irsde_mm.apis.edit_models import model_from_config
    from irsde_mm.apis.export import export, source_of
    from irsde_mm.config import load_config
    from irsde_mm.io.photos import prepare_folder
    out = new_file(args.out)
    config, checkpoint = find_source(args.source, args.config)
    with building(f"'{config}' cannot be built"):
        model = model_from_config(load_config(config), checkpoint, 'cpu')
    prepare_folder(out.parent)
    export(model, out, Path(config).stem, args.licence, args.half)
    print(f"exported '{checkpoint}' with the config '{config}' to '{out}'.")
    source = source_of(model.cfg)
    print(f"tools/test.py '{out}' uses the test set of '{source}'."
          if source else f"The file names no test set: tools/test.py '{out}' "
          f"needs --data FOLDER, or '{config}' before the file.")


def new_file(name: str) -> Path:
    """Return the path of an exported file to write.

    Raises:
        OutputError: If it has another extension or exists.
    """
    from irsde_mm.model_files.exported import EXPORTED
    out = Path(name)
    if out.suffix != EXPORTED:
        raise OutputError(f"'{out}' must end in {EXPORTED}.")
    if out.exists():
        raise OutputError(f"'{out}' exists and is not overwritten.")
    return out


def find_source(source: str, config: Optional[str]) -> Tuple[str, str]:
    """Return the config and the checkpoint to export.

    Raises:
        CheckpointError: If one of them is missing.
    """
    from irsde_mm.model_files.runs import find_run
    checkpoint = Path(source)
    if checkpoint.is_dir():
        found, checkpoint = find_run(checkpoint)
    elif not checkpoint.is_file():
        raise CheckpointError(f"the checkpoint '{source}' does not exist.")
    elif config is None:
        if not list(checkpoint.parent.glob('*.py')):
            raise CheckpointError(f"no config found beside '{source}'; name "
                                  'it with --config.')
        found, _ = find_run(checkpoint.parent)
    return config or str(found), str(checkpoint)


if __name__ == '__main__':
    cli.run(main, parser())
