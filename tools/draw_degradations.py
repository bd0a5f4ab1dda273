"""Draw the picture of docs/reference/degradations.md, photos of scikit-image
under each degradation: python tools/draw_degradations.py"""
import argparse
from pathlib import Path
from typing import Sequence, Tuple

PICTURE = (Path(__file__).resolve().parents[1] / 'docs' / 'images'
           / 'degradations.jpg')
SIZE = (152, 208)  # height and width of a picture

#: Photo, corner of the part shown, and three degradations with captions.
ROWS = [
    ('rocket', (230, 150), [
        ('rain: drizzle', [dict(
            type='RainStreaks', density=(.0006, ) * 2, layers=(2, 2),
            brightness=(50, 50), length=(9, 9), veil=(.5, .5))]),
        ('rain: several directions, opaque', [dict(
            type='RainStreaks', density=(.002, .002), layers=(3, 3),
            brightness=(40, 40), spread=(25, 25), opacity=(.7, .7),
            veil=(.5, .5))]),
        ('rain: as dense as Rain100H, veil', [dict(
            type='RainStreaks', density=(.008, .008), layers=(2, 2),
            brightness=(90, 90), veil=(.8, .8), seed=1)])]),
    ('coffee', (120, 200), [
        ('haze: beta 0.5', [dict(type='Haze', beta=(.5, .5))]),
        ('haze: beta 1.2, tint', [dict(
            type='Haze', beta=(1.2, 1.2), tint=(.7, 1), seed=2)]),
        ('haze: beta 2, uneven', [dict(
            type='Haze', beta=(2, 2), uneven=(.6, .6), seed=1)])]),
    ('chelsea', (60, 140), [
        ('shake: 8 pixels', [dict(type='MotionBlur', length=(8, 8))]),
        ('motion: 15 pixels', [dict(
            type='MotionBlur', kind='motion', length=(15, 15))]),
        ('frames: 21 pixels', [dict(
            type='MotionBlur', kind='frames', length=(21, 21))])]),
    ('rocket', (230, 150), [
        ('defocus: 5 pixels', [dict(
            type='MotionBlur', kind='defocus', length=(5, 5))]),
        ('defocus: 13 pixels', [dict(
            type='MotionBlur', kind='defocus', length=(13, 13))]),
        ('defocus: 13, linear light', [dict(
            type='MotionBlur', kind='defocus', length=(13, 13), gamma=2.2)])]),
    ('astronaut', (0, 150), [
        ('Gaussian noise: 15', [dict(
            type='GaussianNoise', sigma=15 / 255)]),
        ('Gaussian noise: 50', [dict(
            type='GaussianNoise', sigma=50 / 255)]),
        ('Poisson noise: 26 photons', [dict(
            type='PoissonNoise', photons=(26, 26))])]),
    ('chelsea', (60, 140), [
        ('JPEG: quality 75', [dict(type='JPEG', quality=(75, 75))]),
        ('JPEG: quality 30', [dict(type='JPEG', quality=(30, 30))]),
        ('noise 25, then JPEG 30', [
            dict(type='GaussianNoise', sigma=25 / 255, clip=True),
            dict(type='JPEG', quality=(30, 30))])]),
    ('astronaut', (0, 150), [
        ('low resolution: 1/2', [dict(type='LowResolution', scale=2),
                                 dict(type='Upsample', scale=2)]),
        ('low resolution: 1/4, Lanczos', [
            dict(type='LowResolution', scale=4, kernel='lanczos'),
            dict(type='Upsample', scale=4)]),
        ('1/4, area, JPEG 30', [
            dict(type='LowResolution', scale=4, kernel='area'),
            dict(type='JPEG', quality=(30, 30)),
            dict(type='Upsample', scale=4)])]),
    ('coffee', (120, 200), [
        ('holes: thin', [dict(type='KeepMask', kinds=['thin'])]),
        ('holes: thick, random color', [dict(
            type='KeepMask', kinds=['thick'], color='random', seed=3)]),
        ('holes: text', [dict(type='KeepMask', kinds=['text'])])]),
]


def degraded(name: str, corner: Tuple[int, int], steps: Sequence[dict] = ()):
    """Return a part of a photo, (H, W, 3) uint8 RGB, after some steps."""
    import skimage
    from irsde_mm.config.own_data import fixed
    from irsde_mm.registry import TRANSFORMS
    (top, left), (h, w) = corner, SIZE
    photo = getattr(skimage.data, name)()[top:top + h, left:left + w, ::-1]
    sample = dict(gt=photo, gt_path=f'{name}.png')
    for step in steps:
        step = dict(step, type=f"irsde_mm.{step['type']}")
        sample = TRANSFORMS.build(fixed(step))(sample)
    image = sample.get('img', photo)[..., ::-1]
    return image.round().clip(0, 255).astype('uint8')


def draw():
    """Return the picture, (H, W, 3) uint8 RGB."""
    import numpy as np
    from irsde_mm.io.grids import draw_grid
    rows = []
    for name, corner, columns in ROWS:
        images = [degraded(name, corner)] + [
            degraded(name, corner, steps) for _, steps in columns]
        rows.append(draw_grid([images], [
            'clean', *(caption for caption, _ in columns)]))
    return np.vstack(rows)


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    from irsde_mm.registry import TRANSFORMS
    from PIL import Image
    TRANSFORMS.import_from_location()
    Image.fromarray(draw()).save(PICTURE, quality=75, optimize=True)
    print(f'{PICTURE}: {PICTURE.stat().st_size / 1000:.0f} kB')


if __name__ == '__main__':
    main()
