"""Draw the picture of docs/models.md, photos of scikit-image restored by each
bundled model: python tools/draw_bundled.py"""
import argparse
from pathlib import Path
from typing import Tuple

PICTURE = (Path(__file__).resolve().parents[1] / 'docs' / 'images'
           / 'bundled.jpg')
SIZE = (170, 270)  # height and width of a picture
CAPTIONS = ('degraded', 'restored', 'clean')

#: Bundled model, photo, and corner of the part shown.
ROWS = [
    ('derain', 'chelsea', (60, 100)), ('denoise', 'coffee', (110, 200)),
    ('deblur', 'coffee', (110, 200)), ('inpaint', 'chelsea', (60, 100)),
    ('dehaze', 'coffee', (110, 200)), ('sr', 'chelsea', (60, 100)),
]


def pictures(task: str, name: str, corner: Tuple[int, int]) -> list:
    """Return the same part of the degraded, restored and clean photo,
    (H, W, 3) uint8 RGB."""
    import numpy as np
    import skimage
    from irsde_mm.config.own_data import fixed
    from irsde_mm.inference import RestorationPipeline
    from irsde_mm.registry import TRANSFORMS
    pipeline = RestorationPipeline.from_bundled(task, 'cpu')
    photo = getattr(skimage.data, name)()[..., ::-1]
    h, w = (side - side % 4 for side in photo.shape[:2])  # for x4
    results = dict(gt=photo[:h, :w].astype(np.float32), gt_path=name)
    for step in pipeline.degradation:
        results = TRANSFORMS.build(fixed(step))(results)
    degraded = results['img'].round().clip(0, 255).astype(np.uint8)
    pipeline.upscaling = None  # the last degradation enlarges
    restored, = pipeline.restore_batch([degraded], [name])
    top, left = corner
    return [image[top:top + SIZE[0], left:left + SIZE[1], ::-1]
            for image in (degraded, restored, photo)]


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    from irsde_mm.io.grids import draw_grid
    from irsde_mm.registry import TRANSFORMS
    from PIL import Image
    TRANSFORMS.import_from_location()
    image = draw_grid([pictures(*row) for row in ROWS], CAPTIONS)
    Image.fromarray(image).save(PICTURE, quality=85)
    print(f'{PICTURE}: {image.shape[1]}x{image.shape[0]} pixels')


if __name__ == '__main__':
    main()
