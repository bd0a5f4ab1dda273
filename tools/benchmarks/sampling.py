"""Quality and time of each sampler by number of network calls."""
import argparse
import csv
from itertools import islice
from pathlib import Path

from irsde_mm.commands import cli
from irsde_mm.errors import building

from .common import load_model, plan, seconds_of
from .task_data import metric_configs, read_data

CALLS = (5, 10, 20, 50, 100)
LOWER_IS_BETTER = ('NIQE', 'LPIPS', 'DISTS', 'FID')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config', help='path or name of a config')
    parser.add_argument('checkpoint', help='weights')
    parser.add_argument('--out', required=True,
                        help='folder for the CSV file, the table and the plot')
    parser.add_argument('--calls', type=int, nargs='+', default=CALLS,
                        help='numbers of network calls')
    parser.add_argument('--samplers', nargs='+', metavar='NAME',
                        help='samplers (default: all)')
    parser.add_argument('--images', type=int,
                        help='number of test images (default: all)')
    cli.data_argument(parser)


def run(args: argparse.Namespace) -> None:
    """Restore a test set with each sampler and number of calls.

    Each row is written as soon as it is measured.
    """
    from irsde_mm.errors import ConfigError, OutputError
    from irsde_mm.inference.presets import SAMPLERS
    from irsde_mm.io.photos import prepare_folder
    out = Path(args.out)
    if (out / 'sampling.csv').exists():
        raise OutputError(f"'{out}/sampling.csv' exists and is not "
                          'overwritten.')
    if min(args.calls) < 1:
        raise ConfigError('--calls must be at least 1.')
    names = args.samplers or list(SAMPLERS)
    model, batches, metrics = prepare(args)
    jobs = plan(model.pipeline, names, args.calls)
    prepare_folder(out)
    rows = []
    with open(out / 'sampling.csv', 'w', newline='') as file:
        writer = None
        for name, calls, sampler in jobs:
            row = score(model, sampler, calls, batches, metrics)
            if row is None:
                print(f'{name}: skipped {calls} calls, because the inputs '
                      'start below T and need fewer.')
                continue
            rows.append(dict(sampler=name, **row))
            writer = writer or header(file, rows[0])
            writer.writerow(rows[-1])
            file.flush()
    if not rows:
        raise ConfigError('no sampler supports any of these numbers of '
                          'calls.')
    show(rows, out / 'table.md', args, len(batches))
    draw(rows, out / 'sampling.png')


def header(file, row: dict) -> csv.DictWriter:
    writer = csv.DictWriter(file, list(row))
    writer.writeheader()
    return writer


def prepare(args: argparse.Namespace) -> tuple:
    """Return the model, the batches of the test set (read once) and the
    metrics."""
    from irsde_mm.config import component_class, config_scope
    from irsde_mm.errors import ConfigError
    from irsde_mm.model_files.device import check_device
    from irsde_mm.models import IRSDERestorer
    from irsde_mm.registry import METRICS, MODELS
    from mmengine.runner import Runner
    data = dict(config=args.config)
    data.update((key, value) for key, value in (
        ('folder', args.data), ('pairs', args.pairs)) if value)
    cfg, loader, evaluator = read_data(data)
    kind = 'model' in cfg and component_class(MODELS, cfg.model.type, cfg)
    if not kind or not issubclass(kind, IRSDERestorer):
        raise ConfigError(f"'{args.config}' is not a diffusion model and has "
                          'no sampler to exchange.')
    with config_scope(cfg), building(f"'{args.config}' cannot be tested"):
        model = load_model(cfg, check_device(args.device), args.checkpoint)
        batches = list(islice(Runner.build_dataloader(loader, seed=0),
                              args.images))
        metrics = [METRICS.build(config)
                   for config in metric_configs(evaluator)]
    return model, batches, metrics


def score(model, sampler, calls: int, batches: list, metrics: list):
    """Return the row of a sampler, or None if it makes another number of
    calls."""
    made, restored = [], []
    hook = model.generator.register_forward_hook(
        lambda *_: made.append(1))
    model.pipeline.sampler = sampler
    time = 0.
    try:
        for batch in batches:
            time += seconds_of(
                lambda: restored.append(model.test_step(batch)),
                model.pipeline.device)
    finally:
        hook.remove()
    if len(made) != calls * len(batches):
        return None
    images = sum(map(len, restored))
    row = dict(calls=calls)
    for metric in metrics:
        for batch, samples in zip(batches, restored):
            metric.process(batch, [sample.to_dict() for sample in samples])
        metric.size = images
        row.update({name: round(float(value), 4) for name, value in
                    metric.evaluate().items()
                    if not name.startswith('input_')})
    return dict(row, seconds_per_image=round(time / images, 4))


def show(rows: list, path: Path, args: argparse.Namespace, n: int) -> None:
    """Print the table, and write it as Markdown."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    table = Table(box=box.MARKDOWN)
    for column in rows[0]:
        table.add_column(column, justify='right')
    for row in rows:
        table.add_row(*(f'{value:.4g}' if isinstance(value, float)
                        else str(value) for value in row.values()))
    Console(width=200).print(table)
    with open(path, 'w') as file:
        file.write(f'{args.config}, {n} images of the test set\n')
        Console(file=file, width=200).print(table)


def draw(rows: list, path: Path) -> None:
    """Plot quality against calls, one line per sampler."""
    import pandas
    from irsde_mm.config.preview import pyplot
    plt = pyplot()
    table = pandas.DataFrame(rows)
    names = [name for name in table.columns if name in (
        'PSNR', 'SSIM', *LOWER_IS_BETTER)]
    figure, axes = plt.subplots(1, len(names), squeeze=False,
                                figsize=(5 * len(names), 4.5))
    for axis, name in zip(axes[0], names):
        for i, (sampler, part) in enumerate(table.groupby('sampler',
                                                          sort=False)):
            axis.plot(part.calls, part[name], label=sampler,
                      marker='osv^D<>*Xph'[i % 11],
                      linestyle='-' if i < 10 else '--')
        axis.set_xscale('log')
        axis.set_xticks(sorted(set(table.calls)),
                        sorted(set(table.calls)))
        axis.minorticks_off()
        axis.set_xlabel('network calls')
        axis.set_title(name + (', lower is better'
                               if name in LOWER_IS_BETTER else ''))
    axes[0][0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)
