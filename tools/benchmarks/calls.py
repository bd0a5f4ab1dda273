"""What a network call costs, plain and as testing makes it."""
import argparse
import statistics
from pathlib import Path

from .common import seconds


def measure_calls(model, args: argparse.Namespace) -> dict:
    """Paired calls by area and batch, beside the machine's peaks.

    Returns:
        dict: ``peaks`` in GFLOP/s and ``calls``, a row each.
    """
    sizes = [(1, max(args.size // 2, 16)), (1, args.size),
             (1, 2 * args.size), (2, args.size)]
    found = peaks(next(model.parameters()).device, args.repeats)
    rows = [call_row(model, batch, size, args.repeats, found['convolution'])
            for batch, size in sizes]
    return dict(peaks=found, calls=rows)


def call_row(model, batch: int, size: int, repeats: int,
             peak: float) -> dict:
    """Medians of pairs (plain, fast) in this process."""
    import torch
    from irsde_mm.apis.inference import image_channels
    from torch.utils.flop_counter import FlopCounterMode
    device = next(model.parameters()).device
    x = torch.rand(batch, image_channels(model), size, size, device=device)
    t = model.sde.num_steps / 2

    def plain():
        return model.generator(x, x, model.sde.network_time(t))

    def fast():
        return model.predict_noise(x, x, t)

    with model.fast.restoring():
        with FlopCounterMode(display=False) as counter:
            expected = plain()
        error = (fast() - expected).abs().max().item()
        pairs = [[seconds_of(job, device) for job in (plain, fast)]
                 for _ in range(repeats)]
    slow, quick = map(statistics.median, zip(*pairs))
    gflop = counter.get_total_flops() / 1e9
    return dict(
        batch=batch, size=size, plain_ms=1e3 * slow, fast_ms=1e3 * quick,
        ratio=statistics.median(a / b for a, b in pairs), error=error,
        gflop=gflop, fraction_of_peak=gflop / quick / peak)


def seconds_of(job, device) -> float:
    """Seconds of a job, to its end on the device."""
    import torch
    wait = torch.cuda.synchronize if device.type == 'cuda' else lambda: None
    wait()
    return seconds(lambda: (job(), wait()))


def peaks(device, repeats: int) -> dict:
    """GFLOP/s of a product of matrices and of a convolution, large ones."""
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
    from rich.console import Console
    from rich.table import Table
    table = Table(
        title=title, caption='medians of pairs; peak: the fastest large '
        'convolution in this run, {:.0f} GFLOP/s (matrices: {:.0f})'.format(
            found['peaks']['convolution'], found['peaks']['matmul']))
    for column in ('image', 'plain ms', 'fast ms', 'plain/fast', 'GFLOP',
                   'of the peak'):
        table.add_column(column, justify='right')
    for row in found['calls']:
        table.add_row(
            f"{row['batch']}x{row['size']}x{row['size']}",
            f"{row['plain_ms']:.1f}", f"{row['fast_ms']:.1f}",
            f"{row['ratio']:.2f}", f"{row['gflop']:.2f}",
            f"{100 * row['fraction_of_peak']:.0f} %")
    Console().print(table)


def draw_calls(found: dict, path: Path) -> None:
    """Time against the number of pixels."""
    from irsde_mm.apis.pictures import pyplot
    plt = pyplot()
    figure, axis = plt.subplots(figsize=(5, 4))
    rows = sorted(found['calls'], key=lambda row: (row['batch'], row['size']))
    for key, marker in (('plain_ms', 'o'), ('fast_ms', 's')):
        for batch in {row['batch'] for row in rows}:
            some = [row for row in rows if row['batch'] == batch]
            axis.plot([batch * row['size']**2 / 1e6 for row in some],
                      [row[key] for row in some], f'{marker}-',
                      label=f'{key[:-3]}, batch {batch}')
    axis.set_xlabel('megapixels')
    axis.set_ylabel('ms a call')
    axis.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)
