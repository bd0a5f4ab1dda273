"""Turns a checkpoint of the published layout into a work folder of ours:
python tools/convert_checkpoint.py lastest_EMA.pth --config irsde/derain
--out work_dirs/published_derain"""
import argparse
from pathlib import Path

from irsde_mm import cli


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('checkpoint', help='weights as the authors publish '
                        'them (IR-SDE or Refusion)')
    parser.add_argument(
        '--config', required=True, help='path or name of the config with the '
        'process (max_sigma, steps, schedule) that the weights were trained '
        'with: the file does not say')
    parser.add_argument('--out', required=True,
                        help='work folder to make; must not exist')
    parser.add_argument('--arch', choices=['auto', 'unet', 'nafnet'],
                        default='auto')
    parser.add_argument(
        '--objective', choices=['euler', 'exact', 'noise'], default='euler',
        help="how they were trained; 'euler' is the published objective")
    return parser


def main(args: argparse.Namespace) -> None:
    import torch
    from irsde_mm.apis import convert_state_dict
    from irsde_mm.apis.configs import load_config
    from irsde_mm.apis.images import prepare_folder
    from irsde_mm.apis.exported import OBJECTIVES
    from irsde_mm.apis.inference import restorer_from_config
    from irsde_mm.errors import CheckpointError, ConfigError, OutputError
    out = Path(args.out)
    if out.exists():
        raise OutputError(f"'{out}' exists and is not overwritten.")
    cfg = load_config(args.config)
    if cfg.get('model', {}).get('type') != 'irsde_mm.IRSDERestorer':
        raise ConfigError(f"'{args.config}' is no irsde_mm.IRSDERestorer.")
    official = published_weights(args.checkpoint)
    arch = args.arch
    if arch == 'auto':
        arch = 'nafnet' if any(key.removeprefix('module.').startswith(
            'intro.') for key in official) else 'unet'
    try:
        state_dict, generator = convert_state_dict(official, arch)
    except ValueError as error:
        raise CheckpointError(f"'{args.checkpoint}': {error}") from error
    cfg.model.generator = generator
    cfg.model.pixel_loss = OBJECTIVES[args.objective]
    with cli.building(f"'{args.config}' cannot be built"):
        model = restorer_from_config(cfg, device='cpu')
    try:
        model.generator.load_state_dict(state_dict)
    except RuntimeError as error:
        raise CheckpointError(
            f"'{args.checkpoint}' is no {arch} that can be converted: "
            f'{str(error).splitlines()[-1].strip()}') from error
    prepare_folder(out)
    cfg.dump(str(out / f'{Path(args.config).stem}.py'))
    torch.save(dict(
        state_dict=model.state_dict(), meta=dict(irsde_mm=model.settings)),
        out / 'converted.pth')
    print(f"{len(state_dict)} weights, {generator}\nwritten to '{out}': use "
          f'it with restore.py --model {out}, or as test.py {out}/'
          f'{Path(args.config).stem}.py {out}/converted.pth')


def published_weights(path: str) -> dict:
    """The state dict in a file, bare or under one of the usual keys."""
    from irsde_mm.apis.checkpoint import check_numbers, is_dense
    from irsde_mm.errors import CheckpointError
    from irsde_mm.weight_files import read_plain
    weights = read_plain(path)
    for key in ('state_dict', 'params_ema', 'params', 'model', 'ema'):
        if isinstance(weights.get(key), dict):
            weights = weights[key]
            break
    if not weights or not all(
            isinstance(key, str) and is_dense(value)
            for key, value in weights.items()):
        raise CheckpointError(f"'{path}' holds more, or other things, than "
                              'weights.')
    check_numbers(path, weights)
    return weights


if __name__ == '__main__':
    cli.run(main, parser())
