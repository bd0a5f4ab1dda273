"""Draw the picture of docs/uncertainty.md, the intervals of a calibrated model
on photos of scikit-image: python tools/draw_uncertainty.py FILE"""
import argparse
from pathlib import Path

PICTURE = (Path(__file__).resolve().parents[1] / 'docs' / 'images'
           / 'uncertainty.jpg')
#: Photos and the corners of the parts shown.
PARTS = dict(rocket=(150, 120), coffee=(60, 150))
SIZE = (200, 260)  # height and width of a picture
LEVEL = 0.9


def row(restorer, name: str, corner: tuple) -> list:
    """Return the degraded and the restored photo, the width and the error,
    each (H, W, 3) uint8 BGR."""
    import numpy as np
    import skimage
    from calibration_data import degradations
    from irsde_mm.apis.drawing import heat_map
    from irsde_mm.registry import TRANSFORMS
    (top, left), (h, w) = corner, SIZE
    photo = getattr(skimage.data, name)()[top:top + h, left:left + w, ::-1]
    sample = dict(gt=photo, gt_path=f'{name}.png')
    for step in degradations(restorer.pipeline, name, {}):
        sample = TRANSFORMS.build(step)(sample)
    degraded = sample['img'].round().clip(0, 255).astype('uint8')
    result, = restorer(degraded, interval=LEVEL, seed=0, show_progress=False)[
        'predictions']
    # an error of the same color as the width reaches the end of the interval
    width = (result.upper.astype(float) - result.lower).mean(axis=2)
    error = 2 * np.abs(photo.astype(float) - result.image).mean(axis=2)
    brightest = float(np.percentile(width, 99.5))
    missed = ((photo < result.lower) | (photo > result.upper)).mean()
    print(f'{name}: {1 - missed:.1%} inside, mean width {width.mean():.1f}, '
          f'brightest color {brightest:.0f} gray levels')
    return [degraded, result.image, heat_map(width, brightest),
            heat_map(error, brightest)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('model', metavar='FILE', help='file written by '
                        'tools/calibrate.py, of a model that stores its '
                        'degradation')
    args = parser.parse_args()
    from irsde_mm.apis import RestorationInferencer
    from irsde_mm.io.grids import draw_grid
    from irsde_mm.registry import TRANSFORMS
    from PIL import Image
    TRANSFORMS.import_from_location()
    restorer = RestorationInferencer(args.model, device='cpu')
    picture = draw_grid(
        [row(restorer, name, corner) for name, corner in PARTS.items()],
        ['degraded', 'restored', f'width of the {LEVEL:.0%} interval',
         'twice the true error'])
    Image.fromarray(picture[..., ::-1]).save(PICTURE, quality=80,
                                             optimize=True)
    print(f'{PICTURE}: {PICTURE.stat().st_size / 1000:.0f} kB')


if __name__ == '__main__':
    main()
