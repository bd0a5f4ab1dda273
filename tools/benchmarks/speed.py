"""Cost of network calls, sampling steps and training iterations."""
import argparse
import statistics
from pathlib import Path

from irsde_mm.errors import ConfigError, building
from printing import print_table

from .calls import draw_growth, measure_calls, show_calls
from .common import plan, seconds_of
from .graphs import measure_graph, show_graph
from .training import measure_training, show_training


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config', help='path or name of a config')
    parser.add_argument('--size', type=int, default=256,
                        help='side of the image in pixels '
                        '(default: %(default)s)')
    parser.add_argument('--steps', type=int, default=10,
                        help='sampling steps (default: %(default)s)')
    parser.add_argument('--compile', action='store_true', help='also measure '
                        'torch.compile, which takes minutes')
    parser.add_argument('--onnx', action='store_true', help='also measure '
                        'onnxruntime, on the CPU')


def run(args: argparse.Namespace) -> dict:
    """Measure network calls, plain and optimized, the steps of all samplers,
    and training iterations.

    Raises:
        ConfigError: If the model is not a diffusion model, or --onnx is
            used on another device.
    """
    from irsde_mm.apis import init_restorer
    from irsde_mm.apis.inference import diffusion_pipeline
    from irsde_mm.inference.presets import SAMPLERS
    from torch import nn
    if args.onnx and args.device not in (None, 'cpu'):
        raise ConfigError('--onnx measures on the CPU: use --device cpu.')
    device = 'cpu' if args.onnx else args.device
    with building(f"'{args.config}' cannot be built"):
        model = init_restorer(args.config, device=device)
    pipeline = diffusion_pipeline(model, 'it has no sampling steps')
    perturb_weights(pipeline.network)
    found = measure_calls(pipeline, args)
    show_calls(found, f'{args.config}, network calls')
    rows = {name: measure(pipeline, sampler, args)
            for name, _, sampler in plan(pipeline, SAMPLERS, [args.steps])}
    show(rows, args)
    growth = by_steps(pipeline, args)
    graph = None
    if args.onnx:
        graph = measure_graph(pipeline, args)
        show_graph(graph, f'{args.config}, exported graph')
    if args.out:
        draw_growth(found, growth, Path(args.out).with_suffix('.png'))
    training = None
    # exported weights have no training settings
    if isinstance(model, nn.Module) and model.cfg.get('train_dataloader'):
        training = measure_training(model.cfg, args)
        show_training(training, f'{args.config}, training')
    return dict(config=args.config, size=args.size, samplers=rows,
                restoration_ms=growth, training=training, graph=graph,
                **found)


def perturb_weights(network) -> None:
    """Perturb the weights of a network.

    New blocks are the identity and would hide numerical errors.
    """
    import torch
    with torch.no_grad():
        for weights in network.parameters():
            weights.add_(torch.randn_like(weights), alpha=0.02)


def measure(pipeline, sampler, args: argparse.Namespace) -> dict:
    """Return medians of pairs: the network calls, and calls with steps."""
    import torch
    from irsde_mm.inference.pipeline import run_network
    sde, device = pipeline.sde, pipeline.device
    mu = torch.rand(1, pipeline.channels, args.size, args.size,
                    device=device)
    generator = torch.Generator(device).manual_seed(0)

    def timed(job):
        return seconds_of(job, device) / args.steps

    xt = sde.start(mu, generator, sigma=sde.lam)[0]
    t_start = sde.num_steps
    times = sampler.begin(sde, t_start)[1][:-1]

    with pipeline.calls.session() as session:
        session.trajectory(pipeline.network, map(sde.network_time, times))

        def calls():
            for t in times:
                run_network(session, pipeline.network, sde, xt, mu, t)

        def steps(call=session):
            sampler.sample(sde, pipeline.denoiser(call, mu, sampler), xt, mu,
                           t_start, generator)

        def known(*_, t):
            return fixed

        calls()
        steps()
        pairs = []
        for i in range(args.repeats):  # alternate the order
            if i % 2:
                pairs.append((timed(calls), timed(steps)))
            else:
                pairs.append((timed(steps), timed(calls))[::-1])
        # in the layout of network outputs
        fixed = run_network(session, pipeline.network, sde, xt, mu, times[0])
        allocated = allocations(lambda: steps(known), mu)
        # the steps alone are timed separately, because their cost is below
        # the noise of the difference between the two columns
        alone = statistics.median(
            timed(lambda: steps(known)) for _ in range(args.repeats))
    call = statistics.median(a for a, _ in pairs)
    return dict(
        network_call_ms=1e3 * call,
        step_ms=1e3 * statistics.median(b for _, b in pairs),
        step_without_network_ms=1e3 * alone,
        ratio=statistics.median(b / a for a, b in pairs),
        overhead=alone / call,
        image_allocations=allocated / len(times))


def by_steps(pipeline, args: argparse.Namespace) -> dict:
    """Return the median milliseconds of a restoration by number of steps."""
    import torch
    device = pipeline.device
    mu = torch.rand(1, pipeline.channels, args.size, args.size,
                    device=device)
    found = {}
    for n in (1, 2, 5, 10, 20):
        if n > pipeline.sde.num_steps:
            break
        sampler = pipeline.choose_sampler(None, n)
        found[n] = 1e3 * statistics.median(
            seconds_of(lambda: pipeline.restore(
                mu, sampler=sampler, generators=pipeline.generators(1)),
                device) for _ in range(args.repeats))
    return found


def allocations(job, image) -> float:
    """Return the number of image-sized allocations of a job."""
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
    # an operation that also frees a scalar counts slightly less
    return sum(n / size for n in used if n >= 0.9 * size)


def show(rows: dict, args: argparse.Namespace) -> None:
    print_table(
        ('sampler', 'call ms', 'step ms', 'step/call', 'alone ms',
         'alone/call', 'images'),
        [(name, f"{row['network_call_ms']:.2f}", f"{row['step_ms']:.2f}",
          f"{row['ratio']:.3f}", f"{row['step_without_network_ms']:.2f}",
          f"{100 * row['overhead']:.1f} %",
          f"{row['image_allocations']:.1f}") for name, row in rows.items()],
        title=f'{args.config}, {args.size}x{args.size}, medians of '
        f'{args.repeats} pairs',
        caption='call: network call; step: with the call; alone: without the '
        'call; images: image-sized allocations per step')
