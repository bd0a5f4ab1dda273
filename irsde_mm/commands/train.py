"""Trains a model."""
import argparse
from pathlib import Path

from .. import cli, config_checks


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help="path or name of a config, ours or "
                        "mmagic's")
    parser.add_argument(
        '--resume', nargs='?', const='auto', metavar='CHECKPOINT',
        help='go on from the last checkpoint of the work folder, or from the '
        'one given')
    parser.add_argument('--amp', action='store_true',
                        help='mixed precision: fp16 on GPUs, bf16 on CPUs')
    parser.add_argument('--auto-scale-lr', action='store_true',
                        help='scale the learning rate with the batch size')
    cli.runner_arguments(parser)
    return parser


def main(args: argparse.Namespace) -> None:
    from .. import registry  # noqa: F401, first: compat
    from ..errors import ConfigError
    from mmengine.runner import Runner
    cfg = cli.runner_config(args)
    if not cfg.get('train_dataloader'):
        raise ConfigError(f"'{args.config}' is no training config: it has no "
                          'train_dataloader.')
    with cli.building(f"'{args.config}' cannot be trained"):
        config_checks.check_data(cfg, 'train', 'val')
        config_checks.check_types(cfg)
    set_resume(cfg, args.resume)
    if args.amp:
        set_amp(cfg)
    if args.auto_scale_lr:
        if 'auto_scale_lr' not in cfg:
            raise ConfigError(f"'{args.config}' has no auto_scale_lr="
                              'dict(base_batch_size=...).')
        cfg.auto_scale_lr.enable = True
    with cli.building(f"'{args.config}' cannot be trained"):
        runner = Runner.from_cfg(cfg)
        # build the data now, so that what is wrong with it is said at once
        config_checks.try_data(runner.model, runner.train_loop)
        if cfg.get('val_cfg'):
            config_checks.try_data(runner.model, runner.val_loop)
    if args.data:
        show_data(cfg)
    runner.train()
    print(f'weights and logs: {cfg.work_dir}')


def show_data(cfg) -> None:
    """Draws what training will see, for one look before it starts."""
    from ..apis.images import prepare_folder
    from ..apis.pictures import draw_dataset
    from mmengine.dist import is_main_process
    if is_main_process():
        path = prepare_folder(cfg.work_dir) / 'data.png'
        draw_dataset(cfg, 'train', path, 6)
        print(f'what training sees: {path}')


def set_resume(cfg, resume) -> None:
    """Chooses where to start, and protects what is in the work folder."""
    from ..apis.checkpoint import latest_checkpoint, read_checkpoint
    from ..errors import CheckpointError, OutputError
    from ..processes import restarted
    if resume is None and restarted():
        resume = 'auto'  # by torchrun, after a worker was lost
    if resume is None and not cfg.get('resume'):
        if list(Path(cfg.work_dir).glob('*.pth')):
            raise OutputError(
                f"'{cfg.work_dir}' holds the checkpoints of an earlier run: "
                'go on with --resume, or choose another --work-dir.')
        if cfg.get('load_from') and '://' not in cfg.load_from:
            check_fit(cfg, read_checkpoint(cfg.load_from))
        return
    if resume in (None, 'auto'):
        # not what the run once started from (load_from): its own last one
        found = latest_checkpoint(cfg.work_dir)
        if found is None:
            cfg.resume = False
            print(f"'{cfg.work_dir}' has no checkpoint yet: starting anew.")
            return
        resume, checkpoint = found
    else:
        checkpoint = read_checkpoint(resume)
    if 'optimizer' not in checkpoint:
        raise CheckpointError(
            f"'{resume}' has weights but no training state; start from it "
            f'with --cfg-options load_from={resume}.')
    check_fit(cfg, checkpoint)
    cfg.resume, cfg.load_from = True, resume


def check_fit(cfg, checkpoint: dict) -> None:
    """Compares settings before the Runner writes into the work folder."""
    from ..models.restorers.settings import check_settings
    saved = checkpoint['meta'].get('irsde_mm')
    if saved is not None and cfg.model.type == 'irsde_mm.IRSDERestorer':
        with cli.building('the model cannot be built'):
            check_settings(saved, cfg.model)


def set_amp(cfg) -> None:
    """Mixed precision for every plain optimizer wrapper of a config."""
    import torch
    from ..errors import ConfigError
    wrappers = [cfg.optim_wrapper] if 'optimizer' in cfg.optim_wrapper else [
        w for w in cfg.optim_wrapper.values() if isinstance(w, dict)]
    for wrapper in wrappers:
        if wrapper.get('type', 'OptimWrapper') != 'OptimWrapper':
            raise ConfigError('--amp works with OptimWrapper, but the config '
                              f'has {wrapper.type}.')
        if torch.cuda.is_available():
            wrapper.type, wrapper.loss_scale = 'AmpOptimWrapper', 'dynamic'
        else:
            wrapper.type = 'irsde_mm.BFloat16OptimWrapper'
