"""Turns a checkpoint of the published layout into a work folder of ours:
python tools/convert_checkpoint.py lastest_EMA.pth --config irsde/derain
--out work_dirs/published_derain"""
import argparse
from pathlib import Path

from irsde_mm import cli

FLAX_TREE = 'opt/target/'  # where MAXIM's checkpoints keep the weights


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('checkpoint', help='weights as the authors publish '
                        'them (IR-SDE, Refusion, or MAXIM as .npz)')
    parser.add_argument(
        '--config', required=True, help='path or name of the config with the '
        'process (max_sigma, steps, schedule) that the weights were trained '
        'with: the file does not say; for MAXIM the config of the variant, '
        'such as baselines/derain_maxim')
    parser.add_argument('--out', required=True,
                        help='work folder to make; must not exist')
    parser.add_argument('--arch', choices=['auto', 'unet', 'nafnet', 'maxim'],
                        default='auto')
    parser.add_argument(
        '--objective', choices=['euler', 'exact', 'noise'], default='euler',
        help="how they were trained, if with a process; 'euler' is the "
        'published objective')
    return parser


def main(args: argparse.Namespace) -> None:
    from irsde_mm.apis import convert_state_dict
    from irsde_mm.apis.configs import load_config
    from irsde_mm.apis.inference import restorer_from_config
    from irsde_mm.errors import CheckpointError, OutputError
    out = Path(args.out)
    if out.exists():
        raise OutputError(f"'{out}' exists and is not overwritten.")
    cfg = load_config(args.config)
    official, arch = published_weights(args.checkpoint, args.arch)
    check_model(cfg, arch, args.config)
    try:
        state_dict, generator = convert_state_dict(official, arch)
    except ValueError as error:
        raise CheckpointError(f"'{args.checkpoint}': {error}") from error
    with cli.building(f"'{args.config}' cannot be built"):
        set_model(cfg, generator, args)
        model = restorer_from_config(cfg, device='cpu')
    try:
        model.generator.load_state_dict(state_dict)
    except RuntimeError as error:
        raise CheckpointError(
            f"'{args.checkpoint}' is no {arch} that can be converted: "
            f'{str(error).splitlines()[-1].strip()}') from error
    written = save(model, out, Path(args.config).stem)
    print(f"{len(state_dict)} weights, {generator}\nwritten to '{out}': use "
          f'it with restore.py --model {out}, or as test.py {written} '
          f'{out}/converted.pth')


def save(model, out: Path, name: str) -> Path:
    """Writes a work folder; gives the path of its config."""
    import torch
    from irsde_mm.apis.images import prepare_folder
    prepare_folder(str(out))
    model.cfg.dump(str(out / f'{name}.py'))
    meta = {}
    if hasattr(model, 'settings'):
        meta['irsde_mm'] = model.settings
    torch.save(dict(state_dict=model.state_dict(), meta=meta),
               out / 'converted.pth')
    return out / f'{name}.py'


def published_weights(path: str, arch: str) -> tuple:
    """The weights in a file, bare or under one of the usual keys, and which
    network's they are."""
    from irsde_mm.apis.checkpoint import check_numbers, is_dense
    from irsde_mm.errors import CheckpointError
    from irsde_mm.weight_files import read_arrays, read_plain
    if arch == 'auto' and Path(path).suffix == '.npz':
        arch = 'maxim'
    if arch == 'maxim':
        return read_arrays(path, FLAX_TREE), arch
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
    if arch == 'auto':
        arch = 'nafnet' if any(key.removeprefix('module.').startswith(
            'intro.') for key in weights) else 'unet'
    return weights, arch


def check_model(cfg, arch: str, name: str) -> None:
    """Stops a config whose model does not take the weights.

    Raises:
        ConfigError: With what it should have.
    """
    from irsde_mm.errors import ConfigError
    model = cfg.get('model', {})
    if arch == 'maxim':
        if model.get('generator', {}).get('type') != 'irsde_mm.MAXIM':
            raise ConfigError(f"'{name}' has no irsde_mm.MAXIM as generator; "
                              'baselines/derain_maxim has.')
    elif model.get('type') != 'irsde_mm.IRSDERestorer':
        raise ConfigError(f"'{name}' is no irsde_mm.IRSDERestorer.")


def set_model(cfg, generator: dict, args: argparse.Namespace) -> None:
    """Gives a config the network and objective of the weights; MAXIM's has
    to be the one that the config names.

    Raises:
        CheckpointError: If it is another variant.
    """
    from irsde_mm.apis.exported import OBJECTIVES
    from irsde_mm.errors import CheckpointError
    from irsde_mm.models.restorers.settings import differences
    if generator['type'] != 'irsde_mm.MAXIM':
        cfg.model.generator = generator
        cfg.model.pixel_loss = OBJECTIVES[args.objective]
        return
    found = differences(maxim_settings(generator),
                        maxim_settings(cfg.model.generator))
    if found:
        raise CheckpointError(
            f"'{args.checkpoint}' is not the MAXIM of '{args.config}': "
            f'{"; ".join(found)}.')


def maxim_settings(generator: dict) -> dict:
    """A MAXIM's config with all its sizes written out."""
    from irsde_mm.models.networks.maxim.network import full_variant
    from irsde_mm.models.restorers.settings import full_settings, plain
    from irsde_mm.registry import MODELS
    settings = full_settings(MODELS, generator)
    return dict(settings, variant=plain(full_variant(settings['variant'])))


if __name__ == '__main__':
    cli.run(main, parser())
