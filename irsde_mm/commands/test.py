"""Scores a model on its test set and writes the pictures."""
import argparse
from pathlib import Path

from ..errors import building
from . import cli


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='path or name of a config, or an '
                        'exported file, which is config and weights')
    parser.add_argument('checkpoint', nargs='?', help='weights')
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
            raise CheckpointError(f"'{args.config}' is a config: say which "
                                  'weights to test.')
        checkpoint = args.config
    check_test_set(cfg, args.config)
    if list(Path(cfg.work_dir).glob('*.pth')):
        # the config that lies there is the training run's
        cfg.work_dir = str(Path(cfg.work_dir) / 'test')
    with building(f"'{args.config}' cannot be tested"):
        set_sampler(cfg, args)
        checks.check_data(cfg, 'test')
    read_checkpoint(checkpoint)
    cfg.load_from, cfg.resume = checkpoint, False
    # mmengine's Runner would look for the training data otherwise
    cfg.train_cfg = cfg.train_dataloader = None
    cfg.optim_wrapper = cfg.param_scheduler = None
    with building(f"'{args.config}' cannot be tested"):
        runner = Runner.from_cfg(cfg)
        checks.try_data(runner.model, runner.test_loop)
    runner.test()
    print(f'pictures and scores: {runner.log_dir}')


def set_sampler(cfg, args: argparse.Namespace) -> None:
    """Puts the sampler that was asked for in the config, which is kept."""
    from ..errors import ConfigError
    from ..inference.presets import sampler_config
    from ..registry import DIFFUSION_SCHEDULERS
    if args.sampler is None and args.steps is None:
        return
    if 'sampler' not in cfg.model:
        raise ConfigError(f'{cfg.model.type} is not a diffusion model: it '
                          'takes neither sampler nor steps.')
    sde = DIFFUSION_SCHEDULERS.build(cfg.model.sde)
    cfg.model.sampler = sampler_config(args.sampler, sde, cfg.model.sampler,
                                       args.steps)
