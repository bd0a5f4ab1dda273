"""PSNR with x_T as in sampling, as in training, and with the opposite signal
leak a_T (x0 - mu)."""
import argparse
from pathlib import Path
from typing import List

import numpy as np

#: x_T relative to that of sampling, in signal leaks of the training
LEAKS = dict(sampling=0, training=1, opposite=-1)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('models', nargs='+', metavar='MODEL',
                        help='bundled models or exported files')
    parser.add_argument('--data', required=True, metavar='FOLDER',
                        help='clean photos that training has not seen, or '
                        'pairs in input/ and target/')
    parser.add_argument('--degradation', metavar='MODEL',
                        help='model whose degradation is used (default: that '
                        'of each model)')
    parser.add_argument('--images', type=int,
                        help='number of photos (default: all)')


def run(args: argparse.Namespace) -> List[dict]:
    """Restore the photos from each start, print a table, return its rows."""
    from calibration_data import CalibrationPhotos
    from irsde_mm.apis.inference import diffusion_pipeline, init_restorer
    from irsde_mm.errors import ConfigError
    from printing import print_table

    def load(model: str):
        return diffusion_pipeline(init_restorer(model, device=args.device),
                                  'it has no x_T')

    rows = []
    for model in args.models:
        pipeline = load(model)
        if pipeline.sde.starts_at_noise_level:
            raise ConfigError(f"'{model}' does not start at T.")
        pipeline.self_ensemble = 1
        photos = CalibrationPhotos(
            load(args.degradation) if args.degradation else pipeline,
            [args.data])
        scores = [measure(pipeline, *photos.places[name])
                  for name in sorted(photos.places)[:args.images]]
        rows.append(dict(
            model=model, images=len(scores), a_T=end_of(pipeline.sde),
            **{key: float(np.mean([row[key] for row in scores]))
               for key in LEAKS}))
    print_table(['model', 'a_T', *LEAKS], [
        [Path(row['model']).stem, f"{row['a_T']:.5f}",
         *(f'{row[key]:.2f}' for key in LEAKS)] for row in rows])
    return rows


def end_of(sde) -> float:
    """Return a_T, the weight of x0 in x_T."""
    return float(sde.coefficients(sde.num_steps)[0])


def measure(pipeline, dataset, i: int) -> dict:
    """Return the PSNR of a photo for each start."""
    from .bundled import psnr, rounded
    sample = dataset[i]
    degraded, T = rounded(sample['img']), pipeline.sde.num_steps
    h, w = pipeline.enlarged(degraded).shape[:2]
    clean = sample['gt'][:h, :w]
    training = pipeline.state_at(degraded, clean, T, seed=i)
    leak = end_of(pipeline.sde) * difference(pipeline, degraded, clean)
    return {key: psnr(pipeline.restore_batch(
        [degraded], start=(training + (n - 1) * leak, T))[0], clean)
        for key, n in LEAKS.items()}


def difference(pipeline, degraded: np.ndarray, clean: np.ndarray):
    """Return x0 - mu, (1, C, H, W), in the range of the process."""
    import torch
    x0, mu = (pipeline.as_inputs([image], enlarge)[0]
              for image, enlarge in ((clean, False), (degraded, True)))
    with torch.no_grad():
        x0, mu = (pipeline.sde.from_image(pipeline.hooks.encode(image)[0])
                  for image in (x0, pipeline.hooks.condition(mu)))
    return x0 - mu
