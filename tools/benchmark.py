"""Measures: python tools/benchmark.py speed irsde/derain, data, or quality"""
import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks import quality
from irsde_mm import cli


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    what = parser.add_subparsers(dest='what', required=True)
    speed = what.add_parser(
        'speed', help='what a sampling step costs beside its network call')
    speed.add_argument('config', help='path or name of a config')
    speed.add_argument('--size', type=int, default=256,
                       help='side of the image, pixels')
    speed.add_argument('--steps', type=int, default=10)
    speed.set_defaults(job=speed_of_sampling)
    data = what.add_parser(
        'data', help='what the pipeline delivers beside what training takes')
    data.add_argument('config', help='path or name of a config')
    data.add_argument('--batches', type=int, default=10,
                      help='batches in a measurement')
    cli.data_argument(data)
    data.set_defaults(job=speed_of_data)
    quality.add_parser(what)
    for command in (speed, data):
        command.add_argument('--repeats', type=int, default=9)
        command.add_argument('--device', help='cpu, cuda, ...')
        command.add_argument('--out', help='JSON file for the figures')
    return parser


def main(args: argparse.Namespace) -> None:
    from irsde_mm.apis.images import prepare_folder
    from irsde_mm.errors import ConfigError, OutputError
    if args.what == 'quality':
        quality.main(args)
        return
    if args.out:
        if Path(args.out).exists():
            raise OutputError(f"'{args.out}' exists and is not overwritten.")
        prepare_folder(Path(args.out).parent)
    for name in ('size', 'steps', 'batches', 'repeats'):
        if getattr(args, name, 1) < 1:
            raise ConfigError(f'--{name} must be at least 1.')
    figures = args.job(args)
    if args.out:
        Path(args.out).write_text(json.dumps(figures, indent=2) + '\n')


def speed_of_sampling(args: argparse.Namespace) -> dict:
    """Steps of all samplers beside their network calls."""
    from irsde_mm.apis import init_restorer
    from irsde_mm.apis.inference import SAMPLERS
    with cli.building(f"'{args.config}' cannot be built"):
        model = init_restorer(args.config, device=args.device)
    rows = {name: measure(model, name, args) for name in SAMPLERS}
    show(rows, args)
    return dict(config=args.config, size=args.size, samplers=rows)


def speed_of_data(args: argparse.Namespace) -> dict:
    """Images per second of the pipeline alone, in one process, and of
    training alone, in pairs; training gets the same batch again."""
    import torch
    from irsde_mm import registry  # noqa: F401, first: compat
    from irsde_mm.apis.configs import load_config
    from irsde_mm.apis.inference import check_device
    from irsde_mm.apis.own_data import use_folder
    from mmengine.runner import Runner
    from rich.console import Console
    from rich.table import Table
    device = check_device(args.device)
    cfg = load_config(args.config)
    if args.data:
        use_folder(cfg, args.data)
    with tempfile.TemporaryDirectory() as folder, cli.building(
            f"'{args.config}' cannot be built"):
        cli.check_data(cfg, 'train')
        cfg.work_dir, cfg.log_level = folder, 'WARNING'
        # workers would deliver in advance, while training is timed
        cfg.train_dataloader.update(num_workers=0, persistent_workers=False)
        runner = Runner.from_cfg(cfg)
        batches = iter(runner.build_dataloader(cfg.train_dataloader))
        wrapper = runner.build_optim_wrapper(cfg.optim_wrapper)
    model = runner.model.to(device).train()
    batch = next(batches)

    def deliver():
        for _ in range(args.batches):
            next(batches)

    def train():
        for _ in range(args.batches):
            model.train_step(batch, wrapper)
        if device.type == 'cuda':
            torch.cuda.synchronize()

    images = args.batches * len(batch['data_samples'])
    train()
    pairs = [[images / seconds(job) for job in (deliver, train)]
             for _ in range(args.repeats)]
    delivered, trained = map(statistics.median, zip(*pairs))
    ratio = statistics.median(a / b for a, b in pairs)
    table = Table(title=f'{args.config}, medians of {args.repeats} pairs')
    for column in ('pipeline images/s', 'training images/s', 'ratio'):
        table.add_column(column, justify='right')
    table.add_row(f'{delivered:.1f}', f'{trained:.1f}', f'{ratio:.2f}')
    Console().print(table)
    return dict(config=args.config, pipeline_images_per_s=delivered,
                training_images_per_s=trained, ratio=ratio)


def seconds(job) -> float:
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def measure(model, name: str, args: argparse.Namespace) -> dict:
    """Medians of pairs: the network calls alone, then the same with steps."""
    import torch
    from irsde_mm.apis.inference import choose_sampler, image_channels
    device = next(model.parameters()).device
    wait = torch.cuda.synchronize if device.type == 'cuda' else lambda: None
    mu = torch.rand(1, image_channels(model), args.size, args.size,
                    device=device)
    sampler = choose_sampler(model, name, args.steps)
    generator = torch.Generator(device).manual_seed(0)

    def network(x, t):
        return model.generator(x, mu, t)

    def timed(job):
        wait()
        return seconds(lambda: (job(), wait())) / args.steps

    xt = model.sde.start(mu, generator, sigma=model.sde.max_sigma)[0]
    t_start = model.sde.num_steps
    times = sampler.grid(model.sde, t_start)[:-1]

    def calls():
        for t in times:
            network(xt, t)

    def steps(noise_fn=network):
        sampler.sample(model.sde, noise_fn, xt, mu, t_start, generator)

    with torch.inference_mode():
        calls()
        steps()
        pairs = []
        for i in range(args.repeats):  # what runs first takes turns
            if i % 2:
                pairs.append((timed(calls), timed(steps)))
            else:
                pairs.append((timed(steps), timed(calls))[::-1])
        fixed = network(xt, times[0])  # in the layout that networks give
        allocated = allocations(lambda: steps(lambda x, t: fixed), mu)
        # the steps alone, timed apart: their cost lies below the noise of
        # the difference between the two columns
        alone = statistics.median(
            timed(lambda: steps(lambda x, t: fixed))
            for _ in range(args.repeats))
    call = statistics.median(a for a, _ in pairs)
    return dict(
        network_call_ms=1e3 * call,
        step_ms=1e3 * statistics.median(b for _, b in pairs),
        step_without_network_ms=1e3 * alone,
        ratio=statistics.median(b / a for a, b in pairs),
        overhead=alone / call,
        image_allocations=allocated / len(times))


def allocations(job, image) -> float:
    """Image-sized allocations that a job makes."""
    import torch
    activity = torch.profiler.ProfilerActivity
    cuda = image.device.type == 'cuda'
    with torch.profiler.profile(
            activities=[activity.CUDA if cuda else activity.CPU],
            profile_memory=True) as profile:
        job()
    size = image.numel() * image.element_size()
    used = (event.self_device_memory_usage if cuda
            else event.self_cpu_memory_usage for event in profile.events())
    # an operation that also frees a number counts a little less
    return sum(n / size for n in used if n >= 0.9 * size)


def show(rows: dict, args: argparse.Namespace) -> None:
    from rich.console import Console
    from rich.table import Table
    table = Table(
        title=f'{args.config}, {args.size}x{args.size}, medians of '
        f'{args.repeats} pairs',
        caption='call: the network; step: with it; alone: without it; '
        'images: image-sized allocations a step')
    for column in ('sampler', 'call ms', 'step ms', 'step/call', 'alone ms',
                   'alone/call', 'images'):
        table.add_column(column, justify='right')
    for name, row in rows.items():
        table.add_row(
            name, f"{row['network_call_ms']:.2f}", f"{row['step_ms']:.2f}",
            f"{row['ratio']:.3f}", f"{row['step_without_network_ms']:.2f}",
            f"{100 * row['overhead']:.1f} %",
            f"{row['image_allocations']:.1f}")
    Console().print(table)


if __name__ == '__main__':
    cli.run(main, parser())
