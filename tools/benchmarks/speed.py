"""What network calls, sampling steps and training iterations cost."""
import argparse
import statistics
from pathlib import Path

from irsde_mm import cli

from .calls import draw_growth, measure_calls, show_calls
from .common import plan, seconds
from .training import measure_training, show_training


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config', help='path or name of a config')
    parser.add_argument('--size', type=int, default=256,
                        help='side of the image, pixels')
    parser.add_argument('--steps', type=int, default=10)
    parser.add_argument('--compile', action='store_true', help='measure '
                        'torch.compile too, which takes minutes')


def run(args: argparse.Namespace) -> dict:
    """Network calls, plain and fast, steps of all samplers beside them, and
    training iterations.

    Raises:
        ConfigError: If the model is no diffusion.
    """
    from irsde_mm.apis import init_restorer
    from irsde_mm.errors import ConfigError
    from irsde_mm.models.restorers.sampler_choice import SAMPLERS
    with cli.building(f"'{args.config}' cannot be built"):
        model = init_restorer(args.config, device=args.device)
    if not hasattr(model, 'sampler'):
        raise ConfigError(f"'{args.config}' is no diffusion model: it has no "
                          'sampling steps.')
    wake(model.generator)
    found = measure_calls(model, args)
    show_calls(found, f'{args.config}, network calls')
    rows = {name: measure(model, sampler, args) for name, _, sampler in plan(
        model, SAMPLERS, [args.steps])}
    show(rows, args)
    growth = by_steps(model, args)
    if args.out:
        draw_growth(found, growth, Path(args.out).with_suffix('.png'))
    training = None
    if model.cfg.get('train_dataloader'):
        training = measure_training(model.cfg, args)
        show_training(training, f'{args.config}, training')
    return dict(config=args.config, size=args.size, samplers=rows,
                restoration_ms=growth, training=training, **found)


def wake(network) -> None:
    """Blocks of new networks begin as the identity, whose errors would not
    be seen."""
    import torch
    with torch.no_grad():
        for weights in network.parameters():
            weights.add_(torch.randn_like(weights), alpha=0.02)


def measure(model, sampler, args: argparse.Namespace) -> dict:
    """Medians of pairs: the network calls alone, then the same with steps."""
    import torch
    from irsde_mm.apis.inference import image_channels
    device = next(model.parameters()).device
    wait = torch.cuda.synchronize if device.type == 'cuda' else lambda: None
    mu = torch.rand(1, image_channels(model), args.size, args.size,
                    device=device)
    generator = torch.Generator(device).manual_seed(0)

    def network(x, t):
        return model.predict_noise(x, mu, t)

    def timed(job):
        wait()
        return seconds(lambda: (job(), wait())) / args.steps

    xt = model.sde.start(mu, generator, sigma=model.sde.lam)[0]
    t_start = model.sde.num_steps
    times = sampler.begin(model.sde, t_start)[1][:-1]

    def calls():
        for t in times:
            network(xt, t)

    def steps(noise_fn=network):
        sampler.sample(model.sde, noise_fn, xt, mu, t_start, generator)

    with model.fast.restoring():
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


def by_steps(model, args: argparse.Namespace) -> dict:
    """Milliseconds of a whole restoration by its steps, medians."""
    import torch
    from irsde_mm.apis.inference import choose_sampler, image_channels
    from .calls import seconds_of
    device = next(model.parameters()).device
    mu = torch.rand(1, image_channels(model), args.size, args.size,
                    device=device)
    found = {}
    for n in (1, 2, 5, 10, 20):
        if n > model.sde.num_steps:
            break
        sampler = choose_sampler(model, None, n)
        found[n] = 1e3 * statistics.median(
            seconds_of(lambda: model.forward_tensor(mu, sampler=sampler),
                       device) for _ in range(args.repeats))
    return found


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
