"""Scores a model on its test set and writes the pictures:
python tools/test.py CONFIG CHECKPOINT"""
import argparse
from pathlib import Path

from irsde_mm import cli


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='path or name of a config')
    parser.add_argument('checkpoint', help='weights')
    cli.runner_arguments(parser)
    return parser


def main(args: argparse.Namespace) -> None:
    from irsde_mm import registry  # noqa: F401, first: compat
    from irsde_mm.apis.checkpoint import read_checkpoint
    from irsde_mm.errors import ConfigError
    from mmengine.runner import Runner
    cfg = cli.runner_config(args)
    if not cfg.get('test_dataloader'):
        raise ConfigError(f"'{args.config}' has no test_dataloader.")
    if list(Path(cfg.work_dir).glob('*.pth')):
        # the config that lies there is the training run's
        cfg.work_dir = str(Path(cfg.work_dir) / 'test')
    with cli.building(f"'{args.config}' cannot be tested"):
        cli.check_data(cfg, 'test')
    read_checkpoint(args.checkpoint)
    cfg.load_from, cfg.resume = args.checkpoint, False
    # mmengine's Runner would look for the training data otherwise
    cfg.train_cfg = cfg.train_dataloader = None
    cfg.optim_wrapper = cfg.param_scheduler = None
    with cli.building(f"'{args.config}' cannot be tested"):
        runner = Runner.from_cfg(cfg)
        cli.try_data(runner.model, runner.test_loop)
    runner.test()
    print(f'pictures and scores: {runner.log_dir}')


if __name__ == '__main__':
    cli.run(main, parser())
