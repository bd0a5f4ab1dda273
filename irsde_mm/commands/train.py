"""Train a model."""
import argparse
import warnings
from pathlib import Path

from ..errors import building
from . import cli


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='path or name of a config of irsde_mm '
                        'or mmagic')
    parser.add_argument(
        '--resume', nargs='?', const='auto', metavar='CHECKPOINT',
        help='resume from CHECKPOINT, or from the last checkpoint in the work '
        'directory')
    parser.add_argument(
        '--new-schedule', action='store_true',
        help='with --resume: use the optimizer settings and schedule of the '
        'config instead of those in the checkpoint')
    parser.add_argument('--amp', action='store_true',
                        help='mixed precision: fp16 on GPUs, bf16 on CPUs')
    parser.add_argument('--auto-scale-lr', action='store_true',
                        help='scale the learning rate with the batch size')
    cli.runner_arguments(parser)
    return parser


def main(args: argparse.Namespace) -> None:
    from .. import registry  # noqa: F401, first: compat
    from ..config import checks
    from ..errors import ConfigError
    cfg = cli.runner_config(args)
    if not cfg.get('train_dataloader'):
        raise ConfigError(f"'{args.config}' is not a training config: it has "
                          'no train_dataloader.')
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
            raise ConfigError('--auto-scale-lr requires auto_scale_lr=dict('
                              f"base_batch_size=...) in '{args.config}'.")
        cfg.auto_scale_lr.enable = True
    with building(f"'{args.config}' cannot be trained"):
        runner = build_runner(cfg)
        # build the data now, so that errors in it are reported immediately
        checks.try_data(runner.model, runner.train_loop)
        checks.check_inputs(cfg, runner.train_loop)
        checks.check_losses(runner.model, runner.train_loop)
        checks.check_hooks(runner)
        if cfg.get('val_cfg'):
            checks.try_data(runner.model, runner.val_loop)
    if args.data:
        show_data(cfg)
    runner.train()
    print(f'weights and logs: {cfg.work_dir}')


def build_runner(cfg):
    """Build mmengine's runner; a strategy needs another one."""
    if cfg.get('strategy'):
        from ..engine import strategies
        return strategies.build_runner(cfg)
    from mmengine.runner import Runner
    return Runner.from_cfg(cfg)


def show_data(cfg) -> None:
    """Draw samples of the training data for inspection."""
    from mmengine.dist import is_main_process

    from ..config.preview import draw_dataset
    from ..io.photos import prepare_folder
    if is_main_process():
        path = prepare_folder(cfg.work_dir) / 'data.png'
        draw_dataset(cfg, 'train', path, 6)
        print(f'samples of the training data: {path}')


def set_resume(cfg, resume) -> None:
    """Select the checkpoint to start from and protect existing ones.

    Raises:
        CheckpointError: If the checkpoint cannot be resumed from.
        OutputError: If the work directory has checkpoints of another run.
    """
    from ..errors import CheckpointError, OutputError
    from ..model_files.checkpoints import read_checkpoint
    from ..model_files.runs import latest_checkpoint
    from ..processes import restarted
    if resume is None and restarted():
        resume = 'auto'  # torchrun restarted this process after a failure
    if resume is None and not cfg.get('resume'):
        if list(Path(cfg.work_dir).glob('*.pth')):
            raise OutputError(
                f"'{cfg.work_dir}' contains checkpoints of an earlier run: "
                'continue it with --resume, or choose another --work-dir.')
        check_start(cfg)
        return
    if resume in (None, 'auto'):
        # not load_from, which is where the run once started
        found = latest_checkpoint(cfg.work_dir)
        if found is None:
            cfg.resume = False
            print(f"'{cfg.work_dir}' has no checkpoint yet: starting from "
                  f"{cfg.get('load_from') or 'scratch'}.")
            check_start(cfg)
            return
        resume, checkpoint = found
    else:
        checkpoint = read_checkpoint(resume)
    if 'optimizer' not in checkpoint:
        raise CheckpointError(
            f"'{resume}' has weights but no training state: start a new run "
            f'from it with --cfg-options load_from={resume}.')
    check_fit(cfg, checkpoint)
    cfg.resume, cfg.load_from = True, resume


def check_start(cfg) -> None:
    """Raise an error if the weights to start from do not fit."""
    from ..model_files.checkpoints import read_checkpoint
    if cfg.get('load_from') and '://' not in cfg.load_from:
        check_fit(cfg, read_checkpoint(cfg.load_from), start=True)


def set_new_schedule(cfg, resume) -> None:
    """Make a resumed run use the optimizer settings of the config."""
    from ..errors import ConfigError
    if resume is None and not cfg.resume:
        raise ConfigError('--new-schedule requires --resume.')
    hooks = cfg.default_hooks
    hooks.resume = dict(
        hooks.get('resume') or dict(type='irsde_mm.ResumeHook'),
        new_schedule=True)


def check_fit(cfg, checkpoint: dict, start: bool = False) -> None:
    """Compare the settings of checkpoint and config.

    This happens before the Runner writes to the work directory.
    """
    from ..config import component_class
    from ..models import IRSDERestorer
    from ..models.restorers.settings import check_settings
    from ..registry import MODELS
    saved = checkpoint['meta'].get('irsde_mm')
    cls = component_class(MODELS, cfg.model.type, cfg)
    if saved is not None and cls and issubclass(cls, IRSDERestorer):
        with building('the model cannot be built'):
            check_settings(saved, cfg.model, start)


def set_amp(cfg) -> None:
    """Enable mixed precision in every plain optimizer wrapper of a config."""
    import torch

    from ..engine.optim_wrappers import has_fast_bfloat16
    from ..errors import ConfigError
    if not torch.cuda.is_available() and not has_fast_bfloat16():
        warnings.warn('this CPU has no instructions for bfloat16, so training '
                      'takes several times as long as without --amp.',
                      stacklevel=2)
    wrappers = [cfg.optim_wrapper] if 'optimizer' in cfg.optim_wrapper else [
        w for w in cfg.optim_wrapper.values() if isinstance(w, dict)]
    for wrapper in wrappers:
        if wrapper.get('type', 'OptimWrapper') != 'OptimWrapper':
            raise ConfigError('--amp requires OptimWrapper, but the config '
                              f'has {wrapper.type}.')
        if torch.cuda.is_available():
            wrapper.type, wrapper.loss_scale = 'AmpOptimWrapper', 'dynamic'
        else:
            wrapper.type = 'irsde_mm.BFloat16OptimWrapper'
