"""Cost of a network call, plain and optimized as in testing."""
import argparse
import copy
import statistics
from pathlib import Path

from printing import print_table

from .common import seconds_of


def measure_calls(pipeline, args: argparse.Namespace) -> dict:
    """Measure paired calls by area and batch size, and the peak performance.

    Returns:
        dict: ``peaks`` in GFLOP/s, and ``calls``, a list of rows.
    """
    sizes = [(1, max(args.size // 2, 16)), (1, args.size),
             (1, 2 * args.size), (2, args.size)]
    found = peaks(pipeline.device, args.repeats)
    compiled = None
    if args.compile:
        from irsde_mm.inference import NetworkCalls
        compiled = NetworkCalls(compile=True)
    rows = [call_row(pipeline, batch, size, args.repeats,
                     found['convolution'], compiled) for batch, size in sizes]
    return dict(peaks=found, calls=rows)


def plain_call(network, *images, **kwargs):
    """Call an unchanged network without gradients."""
    import torch
    # a folded call needs inference mode; this one must not use it
    with torch.inference_mode(False), torch.no_grad():
        return network(*images, **kwargs)


def call_row(pipeline, batch: int, size: int, repeats: int, peak: float,
             compiled=None) -> dict:
    """Return medians over rounds in this process.

    ``plain`` has weights in PyTorch's default memory layout, ``eager`` in
    channels_last; ``fast`` and ``compiled`` are optimized as in testing.
    """
    import torch
    from contextlib import ExitStack
    from irsde_mm.inference.memory import peak_allocation
    from irsde_mm.inference.pipeline import run_network
    from torch.utils.flop_counter import FlopCounterMode
    network, sde, device = pipeline.network, pipeline.sde, pipeline.device
    x = torch.rand(batch, pipeline.channels, size, size, device=device)
    t = sde.num_steps / 2
    default = copy.deepcopy(network).to(memory_format=torch.contiguous_format)

    def job(call, network=network):
        return lambda: run_network(call, network, sde, x, x, t)

    with ExitStack() as stack:
        jobs = dict(plain=job(plain_call, default), eager=job(plain_call),
                    fast=job(stack.enter_context(pipeline.calls.session())))
        if compiled is not None:
            jobs['compiled'] = job(stack.enter_context(compiled.session()))
        with FlopCounterMode(display=False) as counter:
            expected = jobs['plain']()
        error = max((job() - expected).abs().max().item()
                    for job in jobs.values()) / max(
                        1, expected.abs().max().item())
        held = peak_allocation(jobs['fast'], device) / 2**20
        rounds = [[seconds_of(job, device) for job in jobs.values()]
                  for _ in range(repeats)]
    times = dict(zip(jobs, zip(*rounds)))
    gflop = counter.get_total_flops() / 1e9
    row = dict(batch=batch, size=size, error=error, gflop=gflop, held_mb=held)
    for name, found in times.items():
        row[f'{name}_ms'] = 1e3 * statistics.median(found)
        row[f'{name}_ratio'] = statistics.median(
            a / b for a, b in zip(times['plain'], found))
        row[f'{name}_fraction_of_peak'] = gflop / peak / statistics.median(
            found)
    return row


def peaks(device, repeats: int) -> dict:
    """Return the GFLOP/s of a large matrix product and a large
    convolution."""
    import torch
    n, c, side = 1024, 256, 64
    a = torch.rand(n, n, device=device)
    x, w = (torch.rand(*shape, device=device).to(
        memory_format=torch.channels_last)
        for shape in ((1, c, side, side), (c, c, 3, 3)))
    jobs = dict(
        matmul=(2e-9 * n**3, lambda: a @ a),
        convolution=(2e-9 * 9 * (c * side)**2,
                     lambda: torch.conv2d(x, w, padding=1)))
    found = {}
    with torch.inference_mode():
        for name, (gflop, job) in jobs.items():
            job()
            found[name] = gflop / min(seconds_of(job, device)
                                      for _ in range(repeats))
    return found


def show_calls(found: dict, title: str) -> None:
    forms = [name for name in ('plain', 'eager', 'fast', 'compiled')
             if f'{name}_ms' in found['calls'][0]]
    columns = ('image', *(f'{name} ms' for name in forms),
               *(f'plain/{name}' for name in forms[1:]), 'GFLOP',
               '% of peak', 'memory MB')
    rows = [(f"{row['batch']}x{row['size']}x{row['size']}",
             *(f"{row[f'{name}_ms']:.1f}" for name in forms),
             *(f"{row[f'{name}_ratio']:.2f}" for name in forms[1:]),
             f"{row['gflop']:.2f}",
             f"{100 * row[f'{forms[-1]}_fraction_of_peak']:.0f}",
             f"{row['held_mb']:.0f}") for row in found['calls']]
    print_table(
        columns, rows, title=title, caption='medians of rounds; plain: '
        'default memory layout, eager: channels_last; peak: fastest large '
        'convolution of this run, {:.0f} GFLOP/s (matrix product: {:.0f})'
        .format(found['peaks']['convolution'], found['peaks']['matmul']))


def draw_growth(found: dict, by_steps: dict, path: Path) -> None:
    """Plot time against the number of pixels, the batch size and the steps."""
    from irsde_mm.config.preview import pyplot
    plt = pyplot()
    figure, axes = plt.subplots(1, 2, figsize=(10, 4))
    rows = sorted(found['calls'], key=lambda row: (row['batch'], row['size']))
    for key, marker in (('plain_ms', 'o'), ('fast_ms', 's')):
        for batch in sorted({row['batch'] for row in rows}):
            some = [row for row in rows if row['batch'] == batch]
            axes[0].plot([batch * row['size']**2 / 1e6 for row in some],
                         [row[key] for row in some], f'{marker}-',
                         label=f'{key[:-3]}, batch {batch}')
    axes[0].set(xlabel='megapixels per batch', ylabel='ms per call')
    axes[0].legend()
    axes[1].plot(list(by_steps), list(by_steps.values()), 'o-')
    axes[1].set(xlabel='steps', ylabel='ms per restoration', xlim=(0, None),
                ylim=(0, None))
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)
