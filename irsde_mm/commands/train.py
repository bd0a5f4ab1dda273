"""Trains a model."""
import argparse
from pathlib import Path

from ..errors import building
from . import cli


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help="path or name of a config, ours or "
                        "mmagic's")
    parser.add_argument(
        '--resume', nargs='?', const='auto', metavar='CHECKPOINT',
        help='go on from the last checkpoint of the work folder, or from the '
        'one given')
    parser.add_argument(
        '--new-schedule', action='store_true',
        help='with --resume: optimizer settings and schedule of the config in '
        "place of the checkpoint's")
    parser.add_argument('--amp', action='store_true',
                        help='mixed precision: fp16 on GPUs, bf16 on CPUs')
    parser.add_argument('--auto-scale-lr', action='store_true',
                        help='scale the learning rate with the batch size')
    cli.runner_arguments(parser)
    return parser


def main(args: argparse.Namespace) -> None:
    from mmengine.runner import Runner

    from .. import registry  # noqa: F401, first: compat
    from ..config import checks
    from ..errors import ConfigError
    cfg = cli.runner_config(args)
    if not cfg.get('train_dataloader'):
        raise ConfigError(f"'{args.config}' is no training config: it has no "
                          'train_dataloader.')
    with building(f"'{args.config}' cannot be trained"):
        checks.check_data(cfg, 'train', 'val')
        checks.check_types(cfg)
    set_resume(cfg, args.resume)
    if args.new_schedule:
        set_new_schedule(cfg, args.resume)
    if args.amp:
        set_amp(cfg)
    if args.auto_scale_lr:
        if 'auto_scale_lr' not in cfg:
            raise ConfigError(f"'{args.config}' has no auto_scale_lr="
                              'dict(base_batch_size=...).')
        cfg.auto_scale_lr.enable = True
    with building(f"'{args.config}' cannot be trained"):
        runner = Runner.from_cfg(cfg)
        # build the data now, so that what is wrong with it is said at once
        checks.try_data(runner.model, runner.train_loop)
        checks.check_inputs(cfg, runner.train_loop)
        if cfg.get('val_cfg'):
            checks.try_data(runner.model, runner.val_loop)
    if args.data:
        show_data(cfg)
    runner.train()
    print(f'weights and logs: {cfg.work_dir}')


def show_data(cfg) -> None:
    """Draws what training will see, for one look before it starts."""
    from mmengine.dist import is_main_process

    from ..config.preview import draw_dataset
    from ..io.photos import prepare_folder
    if is_main_process():
        path = prepare_folder(cfg.work_dir) / 'data.png'
        draw_dataset(cfg, 'train', path, 6)
        print(f'what training sees: {path}')


def set_resume(cfg, resume) -> None:
    """Chooses where to start, and protects what is in the work folder."""
    from ..errors import CheckpointError, OutputError
    from ..model_files.checkpoints import read_checkpoint
    from ..model_files.runs import latest_checkpoint
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


def set_new_schedule(cfg, resume) -> None:
    """Lets a resumed run use the config's optimizer settings."""
    from ..errors import ConfigError
    if resume is None and not cfg.resume:
        raise ConfigError('--new-schedule needs --resume.')
    hooks = cfg.default_hooks
    hooks.resume = dict(
        hooks.get('resume') or dict(type='irsde_mm.ResumeHook'),
        new_schedule=True)


def check_fit(cfg, checkpoint: dict) -> None:
    """Compares settings before the Runner writes into the work folder."""
    from ..config import component_class
    from ..models import IRSDERestorer
    from ..models.restorers.settings import check_settings
    from ..registry import MODELS
    saved = checkpoint['meta'].get('irsde_mm')
    cls = component_class(MODELS, cfg.model.type, cfg)
    if saved is not None and cls and issubclass(cls, IRSDERestorer):
        with building('the model cannot be built'):
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
