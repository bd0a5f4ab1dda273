"""Writes a trained model into one file that can be given away:
python tools/export.py work_dirs/derain --out derain.safetensors"""
import argparse
from pathlib import Path

from irsde_mm import cli


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
    from irsde_mm.apis.configs import load_config
    from irsde_mm.apis.exported import export
    from irsde_mm.apis.images import prepare_folder
    from irsde_mm.apis.inference import restorer_from_config
    from irsde_mm.errors import OutputError
    from irsde_mm.weight_files import EXPORTED
    out = Path(args.out)
    if out.suffix != EXPORTED:
        raise OutputError(f"'{out}' must end in {EXPORTED}.")
    if out.exists():
        raise OutputError(f"'{out}' exists and is not overwritten.")
    config, checkpoint = find_source(args.source, args.config)
    with cli.building(f"'{config}' cannot be built"):
        model = restorer_from_config(load_config(config), checkpoint, 'cpu')
    prepare_folder(out.parent)
    left_out = export(model, out, Path(config).stem, args.licence)
    print(f"'{checkpoint}' with the config '{config}' is now '{out}'.")
    if left_out is not None:
        print(f'It can restore but not test: {left_out}')


def find_source(source: str, config) -> tuple:
    """Config and checkpoint to be exported.

    Raises:
        CheckpointError: If one is not there.
    """
    from irsde_mm.apis.checkpoint import find_run
    from irsde_mm.errors import CheckpointError
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
