"""Degradations made by other means than the transforms of training.

The bundled models are tested on them as well, so nothing here may use
irsde_mm.datasets. Each function takes an image (H, W, 3) uint8 BGR and a
NumPy generator, and returns the degraded image as uint8.
"""
import cv2
import numpy as np
from scipy.interpolate import CubicSpline
from scipy.signal import fftconvolve
from skimage.segmentation import slic
from skimage.util import random_noise

SUPER = 3  # drops are drawn on a canvas of this many times the size


def rain(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Streaks drawn as tapered lines, nearer ones longer, wider and brighter,
    and blended like light through water; with slight fog."""
    h, w = image.shape[:2]
    cover = np.zeros((SUPER * h, SUPER * w), np.float32)
    slant = rng.uniform(-0.5, 0.5)
    for _ in range(int(h * w * rng.uniform(0.004, 0.012))):
        near = rng.beta(1.2, 3)
        length = SUPER * (6 + 40 * near) * rng.uniform(0.7, 1.3)
        direction = slant + rng.normal(0, 0.03)
        start = rng.uniform(-0.1, 1.1, 2) * (SUPER * w, SUPER * h)
        end = start + length * np.array([np.sin(direction), np.cos(direction)])
        ends = [tuple(int(v) for v in point)
                for point in (start, (start + end) / 2, end)]
        width = 1 + round(2.5 * near)
        for a, b, part in ((ends[0], ends[2], 0.5), (ends[1], ends[2], 1)):
            cv2.line(cover, a, b, part * (0.2 + 0.6 * near), width,
                     cv2.LINE_AA)
    cover = cv2.resize(cv2.GaussianBlur(cover, (0, 0), 0.3 * SUPER), (w, h),
                       interpolation=cv2.INTER_AREA)[..., None]
    light = rng.uniform(200, 240)
    foggy = image + rng.uniform(0, 0.08) * (light - image.astype(np.float32))
    return to_uint8(foggy + cover * (light - foggy))


def blur(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Motion along a spline through a few points, at uneven speed, in linear
    light; 9 to 17 pixels."""
    reach = rng.uniform(4, 8)
    points = rng.normal(0, 1, (4, 2)).cumsum(0)
    points -= (points.max(0) + points.min(0)) / 2
    points *= reach / np.abs(points).max()
    times = np.sort(rng.beta(0.8, 0.8, 400))
    path = CubicSpline(np.linspace(0, 1, 4), points)(times)
    side = 2 * int(np.ceil(np.abs(path).max())) + 3
    edges = np.arange(side + 1) - side / 2
    kernel = cv2.GaussianBlur(np.histogram2d(
        path[:, 1], path[:, 0], (edges, edges))[0], (0, 0), 0.5)
    kernel /= kernel.sum()
    pad = side // 2
    linear = (np.pad(image, ((pad, pad), (pad, pad), (0, 0)), 'symmetric')
              / 255)**2.2
    moved = fftconvolve(linear, kernel[..., None], 'valid', axes=(0, 1))
    return to_uint8(255 * moved.clip(0, 1)**(1 / 2.2))


def noise(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """scikit-image's Gaussian noise (sigma 25), clipped and rounded."""
    return to_uint8(255 * random_noise(
        image, var=(25 / 255)**2, rng=rng))


def haze(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Fog over a ground plane with objects (superpixels) at steps of depth."""
    h, w = image.shape[:2]
    horizon = rng.uniform(-0.2, 0.3)
    rows = np.linspace(0, 1, h)[:, None] - horizon
    distance = np.broadcast_to(0.15 / np.maximum(rows, 0.15), (h, w))
    labels = slic(image, n_segments=40, start_label=0)
    steps = rng.uniform(0.75, 1.25, labels.max() + 1)
    depth = cv2.GaussianBlur(distance * steps[labels], (0, 0), 2)
    t = np.exp(-rng.uniform(0.5, 1.6) * depth)[..., None]
    warm = rng.uniform(-6, 6)
    light = rng.uniform(185, 250) + np.array([-warm, 0, warm])
    return to_uint8(image * t + light * (1 - t))


def holes(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """White scratches: bent hairlines across the photo, and short dabs."""
    h, w = image.shape[:2]
    mask = np.zeros((h, w), np.uint8)
    for _ in range(rng.integers(6, 12)):
        ends = rng.uniform(0, 1, (2, 2)) * (w, h)
        bend = ends.mean(0) + rng.normal(0, 0.15 * min(h, w), 2)
        s = np.linspace(0, 1, 60)[:, None]
        curve = (1 - s)**2 * ends[0] + 2 * s * (1 - s) * bend + s**2 * ends[1]
        cv2.polylines(mask, [curve.round().astype(np.int32)], False, 1,
                      int(rng.integers(2, 5)))
    for _ in range(rng.integers(10, 30)):
        x, y = rng.uniform(0, 1, 2) * (w, h)
        axes = tuple(int(v) for v in rng.integers(1, 5, 2))
        cv2.ellipse(mask, (int(x), int(y)), axes,
                    float(rng.uniform(0, 180)), 0, 360, 1, -1)
    return np.where(mask[..., None] > 0, np.uint8(255), image)


def small(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A quarter of the size, by OpenCV's area averages of slightly blurred
    pixels, as a camera with fewer pixels would record."""
    h, w = (side // 4 for side in image.shape[:2])
    soft = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.2))
    return cv2.resize(soft[:4 * h, :4 * w], (w, h),
                      interpolation=cv2.INTER_AREA)


def to_uint8(image: np.ndarray) -> np.ndarray:
    return image.round().clip(0, 255).astype(np.uint8)


OTHERS = dict(derain=rain, deblur=blur, denoise=noise, dehaze=haze,
              inpaint=holes, sr=small)
