"""Linear operators: adjoints, pseudo-inverses, projections, and agreement
with the transforms that degrade images."""
import numpy as np
import pytest
import torch
from irsde_mm.datasets.transforms.blur import convolved
from irsde_mm.errors import ConfigError, DataError, ImageError
from irsde_mm.io.kernels import read_kernel
from irsde_mm.operators import (BlurOperator, DownsamplingOperator,
                                LinearOperator, MaskOperator)
from irsde_mm.operators.base import WrappedOperator, adjoint_error
from irsde_mm.operators.blur import ROUNDING
from irsde_mm.operators.resampling import KERNELS
from irsde_mm.registry import DIFFUSION_SCHEDULERS, TRANSFORMS
from PIL import Image

RNG = np.random.default_rng(0)
SIZES = [(2, 3, 21, 15), (1, 3, 1, 9), (1, 1, 12, 10)]


def kernel(h: int = 5, w: int = 7) -> np.ndarray:
    values = RNG.random((h, w))**3
    return values / values.sum()


BLURS = [kernel(), kernel(4, 8), kernel(19, 3), [[0, 1.]]]


def operators(shape: tuple) -> list:
    """Return every operator, for images of this size."""
    h, w = shape[-2:]
    return [MaskOperator(RNG.random((h, w)) > 0.4),
            *map(BlurOperator, BLURS),
            *(DownsamplingOperator(scale, name) for name in KERNELS
              for scale in (2, 3) if h % scale == w % scale == 0)]


CASES = [(shape, operator) for shape in SIZES
         for operator in operators(shape)]
STATE = RNG.bit_generator.state
cases = pytest.mark.parametrize('shape, operator', CASES, ids=lambda x: (
    type(x).__name__ if isinstance(x, LinearOperator) else None))


def image(shape: tuple) -> torch.Tensor:
    return torch.from_numpy(RNG.random(shape))


@pytest.fixture(autouse=True)
def same_draws():
    """Make the draws of a test independent of the tests before it."""
    RNG.bit_generator.state = STATE


def test_every_operator_is_tested():
    found = {cls for cls in DIFFUSION_SCHEDULERS.module_dict.values()
             if issubclass(cls, LinearOperator)}
    assert found == {type(operator) for _, operator in CASES}


@cases
def test_adjoint(shape, operator):
    """<A x, y> = <x, A_adjoint y>."""
    operator = operator.fit(image(shape))
    x = image(shape)
    assert adjoint_error(operator, x, operator.A(x)) < 1e-12


@cases
def test_pseudo_inverse(shape, operator):
    """A A_dagger A = A; that of blur is regularized, so that a singular value
    s becomes s^3 / (s^2 + damping), at most sqrt(damping) / 2 less."""
    operator = operator.fit(image(shape))
    x = image(shape)
    y = operator.A(x)
    error = (operator.A(operator.A_dagger(y)) - y).norm() / x.norm()
    if isinstance(operator, BlurOperator):
        assert error <= operator.damping**0.5 / 2
    else:
        assert error < 1e-6


@cases
def test_projection(shape, operator):
    """The result agrees with the measurement, and is the closest one."""
    operator = operator.fit(image(shape))
    clean, x = image(shape), image(shape)
    y = operator.A(clean)
    found = operator.project(x, y)
    residual = (operator.A(found) - y).norm()
    assert (found - clean).norm() <= (x - clean).norm()
    if isinstance(operator, BlurOperator):
        assert residual < 0.05 * (operator.A(x) - y).norm() \
            + ROUNDING * y.numel()**0.5
    else:
        assert residual < 1e-5
        again = operator.project(found, y)
        assert torch.allclose(again, found, atol=1e-6)


@cases
@pytest.mark.parametrize('error, sigma', [
    (0.3, 0.01), (0.1, 0.1), (0.01, 0.2)])
def test_noise_is_respected(shape, operator, error, sigma):
    """The projection is about as good as the better of the estimate and the
    measurement; residuals below the noise change nothing."""
    def noise(shape, level):
        return level * torch.from_numpy(RNG.standard_normal(shape))

    shape = (4, 3, *shape[-2:])  # more values, whose mean varies less
    operator = operator.fit(image(shape))
    clean = image(shape)
    x = clean + noise(shape, error)
    y = operator.A(clean)
    seen = y != 0
    noisy = y + seen * noise(y.shape, sigma)
    number = int(seen.sum())

    def distance(x):
        return float((operator.A(x) - y).square().sum() / number)**0.5

    found = operator.project(x, noisy, sigma, number)
    slack = 3 * sigma**2 / number**0.5  # the noise of a sample varies
    assert distance(found)**2 < 1.4 * min(
        distance(x), max(sigma, ROUNDING))**2 + slack
    if error > sigma:
        assert (found - clean).norm() < (x - clean).norm()
    same = operator.project(x, operator.A(x) + 0.9 * sigma * seen, sigma,
                            number)
    assert torch.equal(same, x)


# ----------------------------------------------------------- agreement


@pytest.mark.parametrize('name', KERNELS)
@pytest.mark.parametrize('scale', [2, 4])
def test_downsampling_is_the_transform(name, scale):
    photo = RNG.integers(0, 256, (8 * scale, 11 * scale, 3), dtype=np.uint8)
    sample = TRANSFORMS.build(dict(
        type='irsde_mm.LowResolution', scale=scale, kernel=name))(
            dict(gt=photo, gt_path='a.png'))
    x = torch.from_numpy(photo).permute(2, 0, 1)[None].float()
    found = DownsamplingOperator(scale, name).A(x)[0].permute(1, 2, 0)
    found = found.clamp(0, 255).numpy()
    assert np.abs(found - sample['img']).max() < 0.501


@pytest.mark.parametrize('values', BLURS, ids=lambda k: str(np.shape(k)))
def test_blur_is_the_transform(values):
    photo = RNG.random((23, 18, 3)).astype(np.float32)
    x = torch.from_numpy(photo).permute(2, 0, 1)[None]
    found = BlurOperator(values).A(x)[0].permute(1, 2, 0).numpy()
    expected = convolved(photo, np.float32(values))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_deblurring_with_a_kernel_larger_than_the_image():
    """The regularized solution beats the blurred image."""
    operator = BlurOperator(kernel(9, 9))
    x = image((1, 3, 7, 8))
    y = operator.A(x)
    assert (operator.project(y, y) - x).norm() < 0.8 * (y - x).norm()


def test_holes_are_found_by_color():
    photo = torch.rand(1, 3, 9, 8) * 0.9
    photo[..., 2:4, 3:] = torch.tensor([0., 1, 20 / 255])[:, None, None]
    operator = MaskOperator(color=(20, 255, 0)).fit(photo)  # BGR
    keep = torch.ones(9, 8)
    keep[2:4, 3:] = 0
    assert torch.equal(operator.A(torch.ones(1, 3, 9, 8))[0, 2], keep)
    with pytest.raises(ImageError, match="'a.png': no pixel has the color"):
        MaskOperator().fit(photo, 'a.png')
    with pytest.raises(ConfigError, match='one value for gray'):
        MaskOperator(color=(1, 2, 3)).fit(photo[:, :1])


# -------------------------------------------------------------- errors


@pytest.mark.parametrize('build, words', [
    (lambda: BlurOperator([[0.5, 0.6]]), 'sums to 1.1'),
    (lambda: BlurOperator([0.5, 0.5]), 'matrix'),
    (lambda: BlurOperator('x'), 'cannot be read'),
    (lambda: BlurOperator([['a']]), 'matrix'),
    (lambda: BlurOperator([[float('nan')]]), 'matrix'),
    (lambda: BlurOperator(np.ones((1, 300)) / 300), '300x1 values'),
    (lambda: BlurOperator([[1.]], damping=0), 'damping'),
    (lambda: DownsamplingOperator(1), 'scale'),
    (lambda: DownsamplingOperator(4, ['area', 'lanczos']), 'lanczos'),
    (lambda: MaskOperator(np.ones((2, 2, 3))), r'\(H, W\)'),
    (lambda: MaskOperator(np.full((2, 2), 7)), 'True or False'),
    (lambda: MaskOperator(color='white'), 'color'),
    (lambda: WrappedOperator(object()), 'no method A'),
])
def test_errors(build, words):
    with pytest.raises((ConfigError, DataError), match=words):
        build()


@pytest.mark.parametrize('operator, words', [
    (MaskOperator(np.ones((4, 6), bool)), 'mask is 6x4, but the photo is 9x8'),
    (DownsamplingOperator(4), '9x8 is not a multiple of the scale 4')])
def test_operators_of_another_size(operator, words):
    with pytest.raises(ImageError, match=f"'a.png'.*{words}"):
        operator.fit(torch.rand(1, 3, 8, 9), 'a.png')


def test_wrong_adjoints_are_noticed():
    class Wrong(BlurOperator):
        A_adjoint = BlurOperator.A

    x = image((1, 3, 21, 33))
    operator = Wrong(kernel())
    assert adjoint_error(operator, x, operator.A(x)) > 1e-2
    operator.A_adjoint = lambda y: y[..., 1:]
    assert adjoint_error(operator, x, operator.A(x)) == float('inf')


# --------------------------------------------------------------- files


def test_kernel_files(tmp_path):
    values = kernel()
    np.save(tmp_path / 'k.npy', values)
    np.savetxt(tmp_path / 'k.txt', values)
    np.savetxt(tmp_path / 'k.csv', values, delimiter=',')
    for name in ('k.npy', 'k.txt', 'k.csv'):
        np.testing.assert_allclose(read_kernel(tmp_path / name), values)
    pixels = RNG.integers(0, 256, (5, 7), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / 'k.png')
    np.testing.assert_allclose(read_kernel(tmp_path / 'k.png'),
                               pixels / pixels.sum())
    Image.fromarray(0 * pixels).save(tmp_path / 'black.png')
    with pytest.raises(DataError, match='is black'):
        read_kernel(tmp_path / 'black.png')
    np.save(tmp_path / 'objects.npy', np.array([{}], object))
    (tmp_path / 'words.txt').write_text('a kernel')
    (tmp_path / 'bytes.txt').write_bytes(b'\xff\xfe\x00')
    for name in ('none.txt', 'objects.npy', 'words.txt', 'bytes.txt'):
        with pytest.raises(DataError, match=f'{name}.*cannot be read'):
            read_kernel(tmp_path / name)


def test_mask_files(tmp_path):
    keep = RNG.random((6, 8)) > 0.5
    Image.fromarray(keep).save(tmp_path / 'mask.png')
    operator = MaskOperator(str(tmp_path / 'mask.png')).fit(image(
        (1, 3, 6, 8)))
    x = image((1, 3, 6, 8))
    assert torch.equal(operator.A(x), x * torch.from_numpy(keep))
    Image.fromarray(np.full((6, 8), 100, np.uint8)).save(tmp_path / 'g.png')
    with pytest.raises(DataError, match='gray values'):
        MaskOperator(str(tmp_path / 'g.png'))
