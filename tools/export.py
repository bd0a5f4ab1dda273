"""Writes a trained model into one file that can be given away:
python tools/export.py work_dirs/derain --out derain.safetensors"""
import argparse
from pathlib import Path
from typing import Optional, Tuple

from irsde_mm.commands import cli
from irsde_mm.errors import CheckpointError, OutputError, building


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('source', metavar='CHECKPOINT_OR_WORK_DIR',
                        help='a checkpoint, or a work folder, whose best '
                        'checkpoint is taken, or else its last')
    parser.add_argument('--config', help='path or name of the config; by '
                        "default the one in the checkpoint's folder")
    parser.add_argument('--out', required=True, metavar='FILE.safetensors',
                        help='the file to write; must not exist')
    parser.add_argument('--licence', metavar='TEXT', help='terms of use that '
                        "the file states; by default 'not given'")
    return parser


def main(args: argparse.Namespace) -> None:
    from irsde_mm.apis.edit_models import model_from_config
    from irsde_mm.apis.export import export, source_of
    from irsde_mm.config import load_config
    from irsde_mm.io.photos import prepare_folder
    from irsde_mm.model_files.exported import EXPORTED
    out = Path(args.out)
    if out.suffix != EXPORTED:
        raise OutputError(f"'{out}' must end in {EXPORTED}.")
    if out.exists():
        raise OutputError(f"'{out}' exists and is not overwritten.")
    config, checkpoint = find_source(args.source, args.config)
    with building(f"'{config}' cannot be built"):
        model = model_from_config(load_config(config), checkpoint, 'cpu')
    prepare_folder(out.parent)
    export(model, out, Path(config).stem, args.licence)
    print(f"'{checkpoint}' with the config '{config}' is now '{out}'.")
    source = source_of(model.cfg)
    print(f"tools/test.py '{out}' uses the test set of '{source}'."
          if source else f"It names no test set: tools/test.py '{out}' needs "
          f"--data FOLDER, or '{config}' before the file.")


def find_source(source: str, config: Optional[str]) -> Tuple[str, str]:
    """Config and checkpoint to be exported.

    Raises:
        CheckpointError: If one is missing.
    """
    from irsde_mm.model_files.runs import find_run
    checkpoint = Path(source)
    if checkpoint.is_dir():
        found, checkpoint = find_run(checkpoint)
    elif not checkpoint.is_file():
        raise CheckpointError(f"there is no checkpoint '{source}'.")
    elif config is None:
        if not list(checkpoint.parent.glob('*.py')):
            raise CheckpointError(f"there is no config beside '{source}': "
                                  'name it with --config.')
        found, _ = find_run(checkpoint.parent)
    return config or str(found), str(checkpoint)


if __name__ == '__main__':
    cli.run(main, parser())
