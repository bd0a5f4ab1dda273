"""Throughput of the data pipeline compared with training."""
import argparse
import statistics
import tempfile

from irsde_mm.commands import cli
from irsde_mm.errors import building
from printing import print_table

from .common import seconds_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config', help='path or name of a config')
    parser.add_argument('--batches', type=int, default=10,
                        help='batches per measurement (default: %(default)s)')
    cli.data_argument(parser)


def run(args: argparse.Namespace) -> dict:
    """Measure pairs of images per second of the pipeline alone, in one
    process, and of training alone, on the same batch."""
    from irsde_mm import compat
    from irsde_mm.config import load_config
    from irsde_mm.model_files.device import check_device
    from mmengine.runner import Runner
    compat.apply()
    device = check_device(args.device)
    from irsde_mm.config.checks import check_data
    cfg = load_config(args.config)
    cli.use_data(cfg, args)
    with tempfile.TemporaryDirectory() as folder, building(
            f"'{args.config}' cannot be built"):
        check_data(cfg, 'train')
        cfg.work_dir, cfg.log_level = folder, 'WARNING'
        # workers would load batches in advance, while training is timed
        cfg.train_dataloader.update(num_workers=0, persistent_workers=False)
        runner = Runner.from_cfg(cfg)
        batches = iter(runner.build_dataloader(cfg.train_dataloader))
        wrapper = runner.build_optim_wrapper(cfg.optim_wrapper)
    model = runner.model.to(device).train()
    batch = next(batches)

    def load():
        for _ in range(args.batches):
            next(batches)

    def train():
        for _ in range(args.batches):
            model.train_step(batch, wrapper)

    images = args.batches * len(batch['data_samples'])
    train()
    pairs = [[images / seconds_of(job, device) for job in (load, train)]
             for _ in range(args.repeats)]
    loaded, trained = map(statistics.median, zip(*pairs))
    ratio = statistics.median(a / b for a, b in pairs)
    print_table(
        ('pipeline images/s', 'training images/s', 'ratio'),
        [(f'{loaded:.1f}', f'{trained:.1f}', f'{ratio:.2f}')],
        title=f'{args.config}, medians of {args.repeats} pairs')
    return dict(config=args.config, pipeline_images_per_s=loaded,
                training_images_per_s=trained, ratio=ratio)
