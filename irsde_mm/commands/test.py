"""Evaluate a model on its test set and write the images."""
import argparse
from pathlib import Path

from ..errors import building
from . import cli


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='path or name of a config, or an '
                        'exported file, which includes the weights')
    parser.add_argument('checkpoint', nargs='?', help='weights file')
    cli.sampler_arguments(parser)
    cli.tile_argument(parser)
    cli.runner_arguments(parser)
    return parser


def main(args: argparse.Namespace) -> None:
    from mmengine.runner import Runner

    from .. import registry  # noqa: F401, first: compat
    from ..config import checks
    from ..config.weights import check_test_set
    from ..errors import CheckpointError
    from ..model_files.checkpoints import is_weights, read_checkpoint
    cfg = cli.runner_config(args)
    checkpoint = args.checkpoint
    if checkpoint is None:
        if not is_weights(args.config):
            raise CheckpointError(f"'{args.config}' is a config without "
                                  'weights: specify a checkpoint to test.')
        checkpoint = args.config
    check_test_set(cfg, args.config)
    if list(Path(cfg.work_dir).glob('*.pth')):
        # do not replace the config of the training run
        cfg.work_dir = str(Path(cfg.work_dir) / 'test')
    with building(f"'{args.config}' cannot be tested"):
        set_sampler(cfg, args)
        checks.check_data(cfg, 'test')
    read_checkpoint(checkpoint)
    cfg.load_from, cfg.resume = checkpoint, False
    # otherwise mmengine's Runner would require the training data
    cfg.train_cfg = cfg.train_dataloader = None
    cfg.optim_wrapper = cfg.param_scheduler = None
    with building(f"'{args.config}' cannot be tested"):
        runner = Runner.from_cfg(cfg)
        checks.try_data(runner.model, runner.test_loop)
    runner.test()
    print(f'images and scores: {runner.log_dir}')


def set_sampler(cfg, args: argparse.Namespace) -> None:
    """Set the requested sampler in the config, which the run saves."""
    from ..errors import ConfigError
    from ..inference.presets import sampler_config
    from ..models.restorers.irsde_restorer import NOISE_OUTPUT
    from ..registry import DIFFUSION_SCHEDULERS
    if args.sampler is None and args.steps is None:
        return
    if 'sampler' not in cfg.model:
        raise ConfigError(f'{cfg.model.type} is not a diffusion model: it '
                          'supports neither --sampler nor --steps.')
    sde, output = (
        DIFFUSION_SCHEDULERS.build(part) for part in (
            cfg.model.sde, cfg.model.get('output') or NOISE_OUTPUT))
    cfg.model.sampler = sampler_config(args.sampler, sde, output,
                                       cfg.model.sampler, args.steps)
