"""Convert a published checkpoint to a work folder of this package:
python tools/convert_checkpoint.py lastest_EMA.pth --config irsde/derain
--out work_dirs/published_derain"""
import argparse
from pathlib import Path
from typing import Dict

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
                        'format (IR-SDE, GOUB, UniDB, Refusion, or MAXIM as '
                        '.npz)')
    parser.add_argument(
        '--config', required=True, help='path or name of a config with the '
        'process (max_sigma, steps, schedule) of the training, which the '
        'checkpoint does not store; for MAXIM, the config of the variant, '
        'such as baselines/derain_maxim')
    parser.add_argument('--out', required=True,
                        help='work folder to create; must not exist')
    parser.add_argument(
        '--arch', default='auto', choices=[
            'auto', 'unet', 'nafnet', 'latent_nafnet', 'latent_unet',
            'maxim'], help="network of the weights; 'auto' takes a NAFNet for "
        "the one for latents if the config's process runs on latents")
    parser.add_argument(
        '--autoencoder', metavar='CHECKPOINT', help='published autoencoder '
        'of a process on latents, needed for such a config')
    parser.add_argument(
        '--objective', choices=list(LOSSES), default='euler',
        help="objective of the training, if there is a process; 'euler' is "
        'the published one')
    return parser


def main(args: argparse.Namespace) -> None:
    from irsde_mm.apis.edit_models import model_from_config
    from irsde_mm.config import load_config
    from irsde_mm.errors import CheckpointError, OutputError
    out = Path(args.out)
    if out.exists():
        raise OutputError(f"'{out}' exists and is not overwritten.")
    cfg = load_config(args.config)
    latent = runs_on_latents(cfg, args)
    official, arch = published_weights(args.checkpoint, args.arch)
    if latent and args.arch == 'auto' and arch == 'nafnet':
        arch = 'latent_nafnet'
    parts = dict(generator=converted(args.checkpoint, official, arch))
    check_model(cfg, arch, args.config)
    if latent:
        parts['autoencoder'] = converted(
            args.autoencoder, *published_weights(args.autoencoder,
                                                 'latent_unet'))
    with building(f"'{args.config}' cannot be built"):
        set_model(cfg, arch, {key: part[1] for key, part in parts.items()},
                  args)
        model = model_from_config(cfg, device='cpu')
    for key, (state_dict, _) in parts.items():
        try:
            getattr(model, key).load_state_dict(state_dict)
        except RuntimeError as error:
            path = args.checkpoint if key == 'generator' else args.autoencoder
            raise CheckpointError(
                f"'{path}' cannot be converted as {arch}: "
                f'{str(error).splitlines()[-1].strip()}') from error
    written = save(model, out, Path(args.config).stem)
    for state_dict, config in parts.values():
        print(f'wrote {len(state_dict)} weights, {config}')
    print(f"to '{out}'; " + usage(arch, out, written))


def usage(arch: str, out: Path, config: Path) -> str:
    """Return what the converted weights are for."""
    weights = f'{out}/converted.pth'
    if arch == 'latent_unet':
        return ('train a process on its latents with --cfg-options '
                f'model.autoencoder_checkpoint={weights}')
    return (f'use them with restore.py --model {out}, or test.py {config} '
            f'{weights}')


def runs_on_latents(cfg, args: argparse.Namespace) -> bool:
    """Return True if the process of a config runs on latents.

    Raises:
        ConfigError: If the autoencoder is missing or has no use.
    """
    from irsde_mm.errors import ConfigError
    from irsde_mm.models import LatentRestorer
    latent = has_type(cfg, LatentRestorer, cfg.get('model', {}))
    if latent and args.autoencoder is None:
        raise ConfigError(f"'{args.config}' has a process on latents, which "
                          'needs a second checkpoint: that of the '
                          'autoencoder, with --autoencoder.')
    if not latent and args.autoencoder is not None:
        raise ConfigError(f"'{args.config}' is not an irsde_mm.LatentRestorer "
                          'and has no place for --autoencoder.')
    return latent


def converted(path: str, official: dict, arch: str) -> tuple:
    """Return the weights and the config of a network."""
    from irsde_mm.apis import convert_state_dict
    from irsde_mm.errors import CheckpointError
    try:
        return convert_state_dict(official, arch)
    except ValueError as error:
        raise CheckpointError(f"'{path}': {error}") from error


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
    for key in ('state_dict', 'params_ema', 'params', 'model', 'net', 'ema'):
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
        names = {key.removeprefix('module.').split('.')[0] for key in weights}
        arch = ('nafnet' if 'intro' in names
                else 'latent_unet' if 'latent_conv' in names else 'unet')
    return weights, arch


def check_model(cfg, arch: str, name: str) -> None:
    """Check that the model of a config can take the weights.

    Raises:
        ConfigError: If it has another generator or restorer.
    """
    from irsde_mm.errors import ConfigError
    from irsde_mm.models import (MAXIM, AutoencoderModel, IRSDERestorer,
                                 LatentRestorer)
    model = cfg.get('model', {})
    if arch == 'maxim':
        if not has_type(cfg, MAXIM, model.get('generator', {})):
            raise ConfigError(f"'{name}' has no irsde_mm.MAXIM as generator; "
                              'use a config such as baselines/derain_maxim.')
        return
    base = dict(latent_unet=AutoencoderModel,
                latent_nafnet=LatentRestorer).get(arch, IRSDERestorer)
    if not has_type(cfg, base, model):
        raise ConfigError(f"'{name}' is not an irsde_mm.{base.__name__}.")


def has_type(cfg, base: type, part: dict) -> bool:
    """Return True if a part of a config has a subclass of a type."""
    from irsde_mm.config import component_class
    from irsde_mm.registry import MODELS
    cls = 'type' in part and component_class(MODELS, part['type'], cfg)
    return bool(cls) and issubclass(cls, base)


def set_model(cfg, arch: str, networks: Dict[str, dict],
              args: argparse.Namespace) -> None:
    """Set the networks and objective of the weights in a config.

    A MAXIM must be the variant that the config names.

    Raises:
        CheckpointError: If it is another variant.
    """
    from irsde_mm.errors import CheckpointError
    from irsde_mm.models.restorers.settings import differences
    if arch != 'maxim':
        for key, network in networks.items():
            cfg.model[key] = network
        if arch != 'latent_unet':
            cfg.model.pixel_loss = LOSSES[args.objective]
        return
    found = differences(maxim_settings(networks['generator']),
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
