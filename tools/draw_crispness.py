"""Draw the picture of docs/crispness.md, crops of a photo of scikit-image at
several values of the crispness, restored by a super-resolution model:
python tools/draw_crispness.py bsds/sr work_dirs/bsds/sr/iter_1600.pth"""
import argparse
from pathlib import Path

from irsde_mm.commands import cli

PICTURE = (Path(__file__).resolve().parents[1] / 'docs' / 'images'
           / 'crispness.jpg')
PHOTO = 'chelsea'
#: Top left corners of the crops, their side, and the scale of the picture.
CORNERS, SIDE, ZOOM = [(70, 90), (160, 130)], 80, 2
VALUES = (0, 0.5, 1, 1.3)


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config of a super-resolution model')
    parser.add_argument('checkpoint', help='its weights')
    parser.add_argument('--steps', type=int, default=3,
                        help='number of network calls (default: %(default)s)')
    return parser


def images_of(pipeline, steps: int) -> dict:
    """Return the columns of the picture by caption, (H, W, 3) uint8 BGR."""
    import numpy as np
    import skimage
    from irsde_mm.datasets.transforms import LowResolution
    photo = getattr(skimage.data, PHOTO)()[..., ::-1]
    sample = LowResolution(pipeline.upscale)(
        dict(gt=photo, gt_path=f'{PHOTO}.png'))
    small = sample['img'].astype(np.uint8)
    inputs, sizes = pipeline.as_inputs([small])
    restored = {f'crispness {s}': pipeline(small, steps=steps, seed=0,
                                           crispness=s) for s in VALUES}
    return {'bicubic': pipeline.as_arrays(inputs.clamp(0, 1), sizes)[0],
            **restored, 'clean': sample['gt']}


def draw(columns: dict):
    """Return the picture, (H, W, 3) uint8 RGB."""
    from irsde_mm.io.grids import draw_grid
    rows = [[image[y:y + SIDE, x:x + SIDE, ::-1].repeat(ZOOM, 0).repeat(
        ZOOM, 1) for image in columns.values()] for y, x in CORNERS]
    return draw_grid(rows, list(columns))


def main(args: argparse.Namespace) -> None:
    from irsde_mm.apis.inference import diffusion_pipeline, init_restorer
    from PIL import Image
    pipeline = diffusion_pipeline(
        init_restorer(args.config, args.checkpoint), 'it has no crispness')
    Image.fromarray(draw(images_of(pipeline, args.steps))).save(
        PICTURE, quality=85, optimize=True)
    print(f'{PICTURE}: {PICTURE.stat().st_size / 1000:.0f} kB')


if __name__ == '__main__':
    cli.run(main, parser())
