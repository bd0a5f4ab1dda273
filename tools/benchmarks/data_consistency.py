"""Scores and time of bundled models with and without data consistency."""
import argparse
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple

import numpy as np

EVERY = dict(without=None, last='last', step='step')
SIGMA = 5 / 255  # of the noisy measurements


class Task(NamedTuple):
    """Degraded photo and its operator.

    Attributes:
        model (str): Name of the bundled model.
        clean, degraded (ndarray): (H, W, 3) uint8 BGR.
        operator: For the option data_consistency.
        sigma (float): Noise of the degraded photo.
    """

    model: str
    clean: np.ndarray
    degraded: np.ndarray
    operator: Any
    sigma: float = 0.


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('folder', help='folder of clean photos')
    parser.add_argument('--images', type=int, default=20,
                        help='number of photos (default: %(default)s)')
    parser.add_argument('--picture', metavar='FILE',
                        help='also draw parts of the first photo')
    parser.add_argument('--out', required=True, help='JSON file of the scores')


def run(args: argparse.Namespace) -> None:
    """Restore the photos in every way, print a table and write the scores."""
    from irsde_mm.errors import ConfigError, OutputError
    from irsde_mm.inference import RestorationPipeline
    from irsde_mm.io.plain_json import to_json
    if Path(args.out).exists():
        raise OutputError(f"'{args.out}' exists and is not overwritten.")
    from irsde_mm.evaluation import LPIPS
    metric, pipelines, rows, drawn = LPIPS(device='cpu'), {}, {}, {}
    if not metric.has_weights:
        raise ConfigError(f'LPIPS needs its weights: {metric.advice}.')
    for i, name, task in tasks(args.folder, args.images):
        if task.model not in pipelines:
            pipelines[task.model] = RestorationPipeline.from_bundled(
                task.model, args.device)
        for label, every in EVERY.items():
            image, seconds = restore(pipelines[task.model], task, every)
            rows.setdefault((name, label), []).append(
                dict(score(task, image, metric), seconds=seconds))
            if i == 0:
                drawn.setdefault(
                    name, [task.degraded, task.clean]).append(image)
        print(f'{i + 1} of {args.images}: {name}', flush=True)
        if i == 0 and args.picture:
            draw(args.picture, drawn)
    means = [dict(task=name, consistency=label, images=len(found), **{
        key: float(np.mean([row[key] for row in found])) for key in found[0]})
        for (name, label), found in rows.items()]
    Path(args.out).write_text(to_json(means, indent=1) + '\n')
    for row in means:
        print('| {task} | {consistency} | {PSNR:.2f} | {LPIPS:.4f} | '
              '{residual:.2f} | {seconds:.2f} |'.format(**row))


def tasks(folder: str, images: int) -> Iterator[tuple]:
    """Yield (index, name, task) for each photo and degradation."""
    from irsde_mm.io.photos import find_images, read_photo
    for i, path in enumerate(find_images([folder])[:images]):
        photo = read_photo(path)
        for name, task in degraded(photo, np.random.default_rng(i)).items():
            yield i, name, task


def degraded(photo: np.ndarray, rng: np.random.Generator) -> Dict[str, Task]:
    """Return the tasks of a photo, degraded as for the bundled models."""
    from irsde_mm.datasets.transforms.blur import (camera_path, convolved,
                                                   path_kernel)
    from irsde_mm.datasets.transforms.masks import generate
    from irsde_mm.operators import BlurOperator, DownsamplingOperator
    from irsde_mm.operators.resampling import KERNELS

    def rounded(image: np.ndarray, sigma: float = 0.) -> np.ndarray:
        image = image + 255 * sigma * rng.standard_normal(image.shape)
        return image.round().clip(0, 255).astype(np.uint8)

    keep = generate('thin', photo.shape[:2], rng)
    h, w = (side // 4 for side in photo.shape[:2])
    large = photo[:4 * h, :4 * w]
    small = KERNELS['bicubic'](large.astype(np.float32), (h, w))
    kernel = path_kernel(camera_path(14, rng.uniform(-90, 90), 0, rng))
    blurred = convolved(photo.astype(np.float32), kernel)
    return {
        'holes': Task('inpaint', photo, np.where(
            keep[..., None], photo, np.uint8(255)), 'mask'),
        'low resolution': Task('sr', large, rounded(small),
                               DownsamplingOperator(4)),
        'blur': Task('deblur', photo, rounded(blurred), BlurOperator(kernel)),
        'blur, noise 5': Task('deblur', photo, rounded(blurred, SIGMA),
                              BlurOperator(kernel), SIGMA)}


def restore(pipeline, task: Task, every) -> tuple:
    """Return the restored image and the seconds."""
    option = every and dict(operator=task.operator, every=every,
                            sigma=task.sigma)
    start = time.perf_counter()
    image = pipeline(task.degraded, seed=1, data_consistency=option)
    return image, time.perf_counter() - start


def score(task: Task, image: np.ndarray, metric) -> Dict[str, float]:
    """Return PSNR, LPIPS, and the RMS residual of the measurement in gray
    levels."""
    from irsde_mm.operators import MaskOperator
    clean, degraded, found = map(as_tensor, (
        task.clean, task.degraded, image))
    operator = MaskOperator().fit(degraded / 255) \
        if task.operator == 'mask' else task.operator
    y = operator.A(degraded) if task.operator == 'mask' else degraded
    distance = metric.measure(metric.view(clean[0]),
                              dict(found=metric.view(found[0])))
    return dict(PSNR=float(20 * np.log10(255 / rms(found - clean))),
                LPIPS=distance['found'], residual=rms(operator.A(found) - y))


def as_tensor(image: np.ndarray):
    """Return the image as floats (1, C, H, W) in 0..255."""
    import torch
    return torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[None]


def rms(difference) -> float:
    return float(difference.double().square().mean().sqrt())


def draw(path: str, drawn: Dict[str, List[np.ndarray]]) -> None:
    """Draw a part of each image: degraded, clean, and restored."""
    from irsde_mm.io.grids import draw_grid
    from PIL import Image
    titles = ['degraded', 'clean', *EVERY]
    rows = []
    for name, images in drawn.items():
        h, w = images[1].shape[:2]
        degraded = np.asarray(Image.fromarray(images[0]).resize(
            (w, h), Image.Resampling.NEAREST))
        part = slice(h // 2 - 60, h // 2 + 60), slice(w // 2 - 80, w // 2 + 80)
        rows.append(draw_grid(
            [[np.ascontiguousarray(image[part][..., ::-1])
              for image in (degraded, *images[1:])]],
            [name, *titles[1:]]))
    Image.fromarray(np.vstack(rows)).save(path, quality=85)
