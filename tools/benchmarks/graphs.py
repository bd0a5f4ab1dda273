"""Cost of a restoration by onnxruntime, next to the pipeline."""
import argparse
import statistics
import tempfile
from pathlib import Path

from printing import print_table

from .common import seconds


def measure_graph(pipeline, args: argparse.Namespace) -> dict:
    """Return medians of pairs, with as many threads for both.

    The graph has the default sampler of the pipeline, and the image one side
    of ``args.size`` pixels at the network's input.

    Raises:
        ConfigError: If the pipeline cannot be exported.
    """
    import torch
    from irsde_mm.graphs.export import ExportOptions, example, export_graph
    from irsde_mm.graphs.onnx_runner import OnnxRunner
    sigma = pipeline.sde.lam if pipeline.sde.starts_at_noise_level else None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'graph.onnx'
        spec, error = export_graph(pipeline, path, ExportOptions(sigma=sigma))
        runner = OnnxRunner(str(path), torch.get_num_threads())
        size = path.stat().st_size
    side = max(args.size // spec.scale, 1)
    inputs = example(spec, side, side)
    image = pipeline.upscaling(inputs['image']) if pipeline.upscaling \
        else inputs['image']
    arrays = {name: value.numpy() for name, value in inputs.items()}

    def ours():
        pipeline.restore(image, generators=iter(inputs.get('noise', ())),
                         sigmas=[sigma])

    def graph():
        runner.run(arrays)

    ours()
    graph()
    pairs = []
    for i in range(args.repeats):  # alternate the order
        jobs = (ours, graph)[::1 if i % 2 else -1]
        times = [seconds(job) for job in jobs]
        pairs.append(times[::1 if i % 2 else -1])
    return dict(
        size=args.size, calls=spec.calls, threads=torch.get_num_threads(),
        file_mb=size / 1e6, error=error,
        ours_ms=1e3 * statistics.median(a for a, _ in pairs),
        onnxruntime_ms=1e3 * statistics.median(b for _, b in pairs),
        ratio=statistics.median(b / a for a, b in pairs))


def show_graph(row: dict, title: str) -> None:
    print_table(
        ('image', 'calls', 'threads', 'ours ms', 'onnxruntime ms',
         'onnxruntime/ours', 'file MB', 'difference'),
        [(f"{row['size']}x{row['size']}", str(row['calls']),
          str(row['threads']), f"{row['ours_ms']:.1f}",
          f"{row['onnxruntime_ms']:.1f}", f"{row['ratio']:.2f}",
          f"{row['file_mb']:.2f}", f"{row['error']:.1e}")], title=title,
        caption='whole restorations on the CPU, medians of pairs')
