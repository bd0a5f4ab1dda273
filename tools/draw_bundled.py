"""Draw the pictures of docs/models.md, photos of scikit-image restored by each
bundled model, and where the models fail: python tools/draw_bundled.py"""
import argparse
from pathlib import Path
from typing import List, Optional, Tuple

IMAGES = Path(__file__).resolve().parents[1] / 'docs' / 'images'
SIZE = (170, 270)  # height and width of a picture
CAPTIONS = ('degraded', 'restored', 'clean')
CHELSEA, COFFEE = ('chelsea', (60, 100)), ('coffee', (110, 200))

HAZE = dict(type='irsde_mm.Haze')
RAIN = dict(type='irsde_mm.RainStreaks')
MOTION = dict(type='irsde_mm.MotionBlur', kind='motion', length=(17, 17))
#: Bundled model, photo, corner of the part shown, and degradation. By default,
#: it is that of the tests.
PICTURES = dict(
    bundled=[
        ('derain', *CHELSEA, None), ('denoise', *COFFEE, None),
        ('deblur', *COFFEE, None), ('inpaint', *CHELSEA, None),
        ('dehaze', *COFFEE, None), ('sr', *CHELSEA, None),
        ('auto', *CHELSEA, [RAIN]), ('auto', *CHELSEA, [HAZE])],
    bundled_limits=[
        ('derain', *COFFEE, [RAIN]),
        ('denoise', *CHELSEA, [
            dict(type='irsde_mm.GaussianNoise', sigma=90 / 255)]),
        ('deblur', *COFFEE, [MOTION]),
        ('inpaint', *CHELSEA, [
            dict(type='irsde_mm.KeepMask', kinds=['half'])]),
        ('dehaze', *COFFEE, [
            dict(type='irsde_mm.GaussianNoise', sigma=0.)]),
        ('auto', *CHELSEA, [MOTION])])


def pictures(task: str, name: str, corner: Tuple[int, int],
             degradation: Optional[List[dict]]) -> list:
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
    for step in degradation or pipeline.degradation:
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
    for name, rows in PICTURES.items():
        image = draw_grid([pictures(*row) for row in rows], CAPTIONS)
        path = IMAGES / f'{name}.jpg'
        Image.fromarray(image).save(path, quality=85)
        print(f'{path}: {image.shape[1]}x{image.shape[0]} pixels')


if __name__ == '__main__':
    main()
