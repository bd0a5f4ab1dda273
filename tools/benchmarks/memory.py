"""Memory and time of restoration by size of the photo."""
import argparse
import math
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path

from irsde_mm.commands import cli
from irsde_mm.errors import building
from printing import print_table

from .common import seconds

STATUS = Path('/proc/self/status')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config', help='path or name of a config')
    parser.add_argument('--megapixels', type=float, nargs='+',
                        default=[1, 2, 4, 8, 16],
                        help='sizes of the photo (default: 1 2 4 8 16)')
    parser.add_argument('--steps', type=int, default=2,
                        help='sampling steps (default: %(default)s)')
    cli.tile_argument(parser)


def run(args: argparse.Namespace) -> dict:
    """Measure each size in a separate process.

    Raises:
        ConfigError: If a size is not positive, or memory cannot be measured.
    """
    from irsde_mm.errors import ConfigError
    if min(args.megapixels) <= 0:
        raise ConfigError('--megapixels must be above 0.')
    if not STATUS.is_file():
        raise ConfigError('the peak memory of a process is read from '
                          f"'{STATUS}', which exists only on Linux.")
    rows = []
    for megapixels in args.megapixels:
        with ProcessPoolExecutor(
                1, multiprocessing.get_context('spawn')) as pool:
            rows.append(pool.submit(
                measure, args.config, megapixels, args.steps, args.tile,
                args.device).result())
    for small, large in pairwise(rows):
        large['image_tensors'] = growth(small, large)
    show(rows, args)
    if args.out:
        draw(rows, Path(args.out).with_suffix('.png'))
    return dict(config=args.config, steps=args.steps, tile=args.tile,
                sizes=rows)


def measure(config: str, megapixels: float, steps: int, tile, device) -> dict:
    """Restore a photo of noise, 4:3, in this process."""
    cli.prepare_process()
    import numpy as np
    from irsde_mm.apis import init_restorer
    from irsde_mm.apis.inference import as_pipeline
    with building(f"'{config}' cannot be built"):
        pipeline = as_pipeline(init_restorer(config, device=device,
                                             tile=tile))
    height = round(math.sqrt(megapixels * 1e6 * 3 / 4))
    width = round(megapixels * 1e6 / height)
    image = np.random.default_rng(0).integers(
        0, 256, (height, width, pipeline.channels), np.uint8)
    options = {} if pipeline.sampler is None else dict(steps=steps)
    pipeline(image[:64, :64], **options)  # warm up
    network = pipeline.call_bytes(pipeline.upscale * height,
                                  pipeline.upscale * width)
    before = memory(pipeline.device, 'VmRSS')
    time = seconds(lambda: pipeline(image, **options))
    peak = memory(pipeline.device, 'VmHWM')
    return dict(
        height=height, width=width, seconds=time,
        seconds_per_step_and_megapixel=time * 1e6 / image[..., 0].size
        / options.get('steps', 1),
        before_mb=before / 1e6, network_mb=network / 1e6, peak_mb=peak / 1e6,
        image_mb=4 * image.size / 1e6)


def growth(small: dict, large: dict) -> float:
    """Return the growth of the peak, without the network call, as a number of
    float32 tensors of the size of the image."""
    more = {key: large[f'{key}_mb'] - small[f'{key}_mb']
            for key in ('peak', 'before', 'network', 'image')}
    return (more['peak'] - more['before'] - more['network']) / more['image']


def memory(device, field: str) -> int:
    """Return the bytes of this process, or of the GPU of the model, now
    (VmRSS) or at the peak (VmHWM)."""
    import torch
    if device.type == 'cuda':
        return {'VmRSS': torch.cuda.memory_allocated,
                'VmHWM': torch.cuda.max_memory_allocated}[field](device)
    line = next(line for line in STATUS.read_text().splitlines()
                if line.startswith(field))
    return int(line.split()[1]) * 1024


def show(rows: list, args: argparse.Namespace) -> None:
    print_table(
        ('size', 's', 's / step / megapixel', 'before MB', 'network MB',
         'peak MB', 'images'),
        [(f"{row['width']}x{row['height']}", f"{row['seconds']:.1f}",
          f"{row['seconds_per_step_and_megapixel']:.2f}",
          *(f'{row[key]:.0f}' for key in ('before_mb', 'network_mb',
                                          'peak_mb')),
          f"{row['image_tensors']:.1f}" if 'image_tensors' in row else '')
         for row in rows],
        title=f'{args.config}, {args.steps} steps, tile '
        f"{args.tile or 'as configured'}",
        caption='before: the process with its model; network: memory of one '
        'call; images: further growth of the peak since the previous size, in '
        'float32 tensors of the size of the image')


def draw(rows: list, path: Path) -> None:
    """Plot memory and time against the area."""
    from irsde_mm.config.preview import pyplot
    plt = pyplot()
    figure, axes = plt.subplots(1, 2, figsize=(10, 4))
    areas = [row['height'] * row['width'] / 1e6 for row in rows]
    for axis, keys in zip(axes, (('peak_mb', 'network_mb'), ('seconds', ))):
        for key in keys:
            axis.plot(areas, [row[key] for row in rows], 'o-', label=key)
        axis.set_ylim(bottom=0)
        axis.set_xlabel('megapixels')
        axis.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)
