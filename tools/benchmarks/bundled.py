"""Scores of the bundled models: on the degradation of their cards, on one made
by other means, and on clean photos."""
import argparse
from pathlib import Path
from typing import Dict, Iterator, List

import numpy as np


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('models', nargs='+', metavar='MODEL',
                        help='bundled models, or exported files TASK.'
                        'safetensors')
    parser.add_argument('--data', required=True, metavar='FOLDER',
                        help='clean photos that training has not seen')
    parser.add_argument('--images', type=int,
                        help='number of photos (default: all)')
    parser.add_argument('--steps', type=int, help='network calls (default: '
                        "those of the model's sampler)")


def run(args: argparse.Namespace) -> List[dict]:
    """Restore the photos, print a table, and return its rows."""
    from calibration_data import CalibrationPhotos
    from irsde_mm.apis.inference import diffusion_pipeline, init_restorer
    from irsde_mm.errors import ConfigError
    from irsde_mm.evaluation import LPIPS
    metric, rows = LPIPS(device='cpu'), []
    if not metric.has_weights:
        raise ConfigError(f'LPIPS needs its weights: {metric.advice}.')
    for model in args.models:
        pipeline = diffusion_pipeline(init_restorer(model, device=args.device),
                                      'it is not tested here')
        photos = CalibrationPhotos(pipeline, [args.data])
        sampler = pipeline.choose_sampler(None, args.steps)
        found: Dict[str, List[dict]] = {}
        for name in sorted(photos.places)[:args.images]:
            for kind, degraded, clean in versions(
                    photos, name, Path(model).stem, pipeline.upscale):
                found.setdefault(kind, []).append(score(
                    pipeline, sampler, metric, name, degraded, clean))
        rows += [dict(model=model, photos=kind, images=len(scores), **mean(
            scores)) for kind, scores in found.items()]
        show(rows[-len(found):])
    return rows


def versions(photos, name: str, task: str, upscale: int) -> Iterator[tuple]:
    """Yield (kind, degraded, clean) of a photo, uint8 BGR.

    Clean photos are tested unless the model enlarges them.
    """
    from irsde_mm.inference.calibrating import seed_of

    from .other_degradations import OTHERS
    dataset, i = photos.places[name]
    sample = dataset[i]
    clean = sample['gt']
    yield 'as trained', rounded(sample['img']), clean
    others = {task: 'other means'} if task != 'auto' else {
        kind: f'other means, {kind}'
        for kind in ('derain', 'dehaze', 'deblur', 'denoise')}
    for kind in (kind for kind in others if kind in OTHERS):
        rng = np.random.default_rng(seed_of(Path(name).name))
        yield others[kind], OTHERS[kind](clean, rng), clean
    if upscale == 1:
        yield 'clean', clean, clean


def rounded(image: np.ndarray) -> np.ndarray:
    return image.round().clip(0, 255).astype(np.uint8)


def score(pipeline, sampler, metric, name: str, degraded: np.ndarray,
          clean: np.ndarray) -> dict:
    """Return PSNR and LPIPS of a photo before and after restoring it."""
    restored, = pipeline.restore_batch([degraded], [name], sampler=sampler)
    before = rounded(pipeline.enlarged(degraded))
    h, w = restored.shape[:2]
    images = dict(input=before, restored=restored)
    distances = metric.measure(view(metric, clean[:h, :w]), {
        key: view(metric, image) for key, image in images.items()})
    return {f'{key}_{kind}': value for key, image in images.items()
            for kind, value in (('PSNR', psnr(image, clean[:h, :w])),
                                ('LPIPS', distances[key]))}


def view(metric, image: np.ndarray):
    """Return an image as the metric's view."""
    import torch
    return metric.view(torch.from_numpy(
        image.astype(np.float32)).permute(2, 0, 1))


def psnr(image: np.ndarray, clean: np.ndarray) -> float:
    """Return PSNR in dB, at most 100 (equal images)."""
    error = np.square(image.astype(float) - clean).mean()
    return float(min(100, 10 * np.log10(255**2 / max(error, 1e-12))))


def mean(scores: List[dict]) -> dict:
    """Return the means, the smallest gain and the lowest PSNR of a photo."""
    gains = [row['restored_PSNR'] - row['input_PSNR'] for row in scores]
    return dict({key: float(np.mean([row[key] for row in scores]))
                 for key in scores[0]}, smallest_gain=min(gains),
                lowest_PSNR=min(row['restored_PSNR'] for row in scores))


def show(rows: List[dict]) -> None:
    """Print the rows of a model."""
    from printing import print_table
    print_table(
        ['model', 'photos', 'PSNR', 'LPIPS', 'smallest gain', 'lowest PSNR'],
        [[Path(row['model']).stem, row['photos'],
          f"{row['input_PSNR']:.2f} / {row['restored_PSNR']:.2f}",
          f"{row['input_LPIPS']:.3f} / {row['restored_LPIPS']:.3f}",
          f"{row['smallest_gain']:+.2f}", f"{row['lowest_PSNR']:.2f}"]
         for row in rows])
