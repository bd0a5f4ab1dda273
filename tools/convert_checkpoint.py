"""Convert a published checkpoint to a work folder of this package:
python tools/convert_checkpoint.py lastest_EMA.pth --config irsde/derain
--out work_dirs/published_derain"""
import argparse
from pathlib import Path

from irsde_mm.commands import cli
from irsde_mm.errors import building

FLAX_TREE = 'opt/target/'  # prefix of the weights in MAXIM's checkpoints
#: Loss of each objective that published weights were trained with.
LOSSES = dict(
    euler=dict(type='irsde_mm.MaximumLikelihoodLoss'),
    exact=dict(type='irsde_mm.MaximumLikelihoodLoss', exact=True),
    noise=dict(type='irsde_mm.NoiseMatchingLoss'))


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('checkpoint', help='weights in the published '
                        'format (IR-SDE, Refusion, or MAXIM as .npz)')
    parser.add_argument(
        '--config', required=True, help='path or name of a config with the '
        'process (max_sigma, steps, schedule) of the training, which the '
        'checkpoint does not store; for MAXIM, the config of the variant, '
        'such as baselines/derain_maxim')
    parser.add_argument('--out', required=True,
                        help='work folder to create; must not exist')
    parser.add_argument('--arch', choices=['auto', 'unet', 'nafnet', 'maxim'],
                        default='auto')
    parser.add_argument(
        '--objective', choices=list(LOSSES), default='euler',
        help="objective of the training, if there is a process; 'euler' is "
        'the published one')
    return parser


def main(args: argparse.Namespace) -> None:
    from irsde_mm.apis import convert_state_dict
    from irsde_mm.apis.edit_models import model_from_config
    from irsde_mm.config import load_config
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
    with building(f"'{args.config}' cannot be built"):
        set_model(cfg, arch, generator, args)
        model = model_from_config(cfg, device='cpu')
    try:
        model.generator.load_state_dict(state_dict)
    except RuntimeError as error:
        raise CheckpointError(
            f"'{args.checkpoint}' cannot be converted as {arch}: "
            f'{str(error).splitlines()[-1].strip()}') from error
    written = save(model, out, Path(args.config).stem)
    print(f"wrote {len(state_dict)} weights, {generator}\nto '{out}'; use "
          f'them with restore.py --model {out}, or test.py {written} '
          f'{out}/converted.pth')


def save(model, out: Path, name: str) -> Path:
    """Write a work folder and return the path of its config."""
    import torch
    from irsde_mm.io.photos import prepare_folder
    from irsde_mm.models import IRSDERestorer
    prepare_folder(str(out))
    model.cfg.dump(str(out / f'{name}.py'))
    meta = {}
    if isinstance(model, IRSDERestorer):
        meta['irsde_mm'] = model.settings
    torch.save(dict(state_dict=model.state_dict(), meta=meta),
               out / 'converted.pth')
    return out / f'{name}.py'


def published_weights(path: str, arch: str) -> tuple:
    """Return the weights in a file, at top level or under one of the usual
    keys, and the name of their architecture."""
    from irsde_mm.errors import CheckpointError
    from irsde_mm.io.weights import read_arrays, read_plain
    from irsde_mm.model_files.checkpoints import check_numbers, is_dense
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
        raise CheckpointError(f"'{path}' must contain a dict of weights and "
                              'nothing else.')
    check_numbers(path, weights)
    if arch == 'auto':
        arch = 'nafnet' if any(key.removeprefix('module.').startswith(
            'intro.') for key in weights) else 'unet'
    return weights, arch


def check_model(cfg, arch: str, name: str) -> None:
    """Check that the model of a config can take the weights.

    Raises:
        ConfigError: If it has another generator or restorer.
    """
    from irsde_mm.config import component_class
    from irsde_mm.errors import ConfigError
    from irsde_mm.models import MAXIM, IRSDERestorer
    from irsde_mm.registry import MODELS

    def has(base: type, part: dict) -> bool:
        cls = 'type' in part and component_class(MODELS, part['type'], cfg)
        return bool(cls) and issubclass(cls, base)

    model = cfg.get('model', {})
    if arch == 'maxim' and not has(MAXIM, model.get('generator', {})):
        raise ConfigError(f"'{name}' has no irsde_mm.MAXIM as generator; "
                          'use a config such as baselines/derain_maxim.')
    if arch != 'maxim' and not has(IRSDERestorer, model):
        raise ConfigError(f"'{name}' is not an irsde_mm.IRSDERestorer.")


def set_model(cfg, arch: str, generator: dict,
              args: argparse.Namespace) -> None:
    """Set the network and objective of the weights in a config.

    A MAXIM must be the variant that the config names.

    Raises:
        CheckpointError: If it is another variant.
    """
    from irsde_mm.errors import CheckpointError
    from irsde_mm.models.restorers.settings import differences
    if arch != 'maxim':
        cfg.model.generator = generator
        cfg.model.pixel_loss = LOSSES[args.objective]
        return
    found = differences(maxim_settings(generator),
                        maxim_settings(cfg.model.generator))
    if found:
        raise CheckpointError(
            f"'{args.checkpoint}' is not the MAXIM of '{args.config}': "
            f'{"; ".join(found)}.')


def maxim_settings(generator: dict) -> dict:
    """Return the config of a MAXIM with all sizes filled in."""
    from irsde_mm.models.restorers.settings import full_settings, plain
    from irsde_mm.networks.maxim.network import full_variant
    from irsde_mm.registry import MODELS
    settings = full_settings(MODELS, generator)
    return dict(settings, variant=plain(full_variant(settings['variant'])))


if __name__ == '__main__':
    cli.run(main, parser())
