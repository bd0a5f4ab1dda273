"""Data consistency: results agree with the degraded image."""
import numpy as np
import pytest
import torch
from conftest import OUTPUTS
from irsde_mm.apis import RestorationInferencer, restore
from irsde_mm.datasets.transforms.blur import convolved
from irsde_mm.errors import ConfigError, DataError, ImageError
from irsde_mm.inference import Hooks, RestorationPipeline
from irsde_mm.inference.arrays import Upscale
from irsde_mm.inference.data_consistency import (DataConsistency,
                                                 data_consistency)
from irsde_mm.networks import ConditionalNAFNet
from irsde_mm.operators import (BlurOperator, DownsamplingOperator,
                                LinearOperator, MaskOperator)
from irsde_mm.operators.resampling import KERNELS
from irsde_mm.sde import IRSDE, ResidualOutput
from PIL import Image
from torch import nn

RNG = np.random.default_rng(0)
PHOTO = RNG.integers(0, 250, (20, 31, 3), dtype=np.uint8)
KEEP = RNG.random((20, 31)) > 0.3
HOLES = np.where(KEEP[..., None], PHOTO, 255).astype(np.uint8)
KERNEL = np.float32([[0, 0.1, 0.2], [0.1, 0.4, 0], [0.2, 0, 0]])
T = 20


class Random(nn.Module):
    """Random network, whose results have nothing to do with the images."""

    in_channels = 3

    def __init__(self, outputs: int = 1) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.layer = nn.Conv2d(6, 3 * outputs, 3, padding=1)
        self.requires_grad_(False).eval()
        self.calls = 0

    def forward(self, xt, mu, t):
        self.calls += 1
        return self.layer(torch.cat((xt, mu), 1))


def build(sde=None, sampler='balanced', output=None, **options):
    output = output or ResidualOutput()
    return RestorationPipeline(Random(output.channels), sde or IRSDE(
        0.1, num_steps=T), sampler, output, **options)


OPERATORS = dict(
    mask=(MaskOperator(KEEP), None, HOLES),
    downsampling=(DownsamplingOperator(2), Upscale(2), PHOTO))
kinds = pytest.mark.parametrize('kind', OPERATORS)


def as_tensor(image: np.ndarray) -> torch.Tensor:
    """Return the image as (1, C, H, W) RGB in [0, 1]."""
    return torch.from_numpy(image[..., ::-1].copy()).permute(
        2, 0, 1)[None] / 255


def check(pipeline, kind):
    """Restore a batch of tensors, which must agree with the measurement."""
    operator, upscaling, image = OPERATORS[kind]
    pipeline.upscaling = upscaling
    y = as_tensor(image)
    inputs = upscaling(y) if upscaling else y
    T = pipeline.sde.num_steps
    start = (inputs, T) if pipeline.sde.starts_at_noise_level else None
    for every in ('step', 'last'):
        found = pipeline.restore(
            inputs, generators=pipeline.generators(1, seed=1),
            start=start, data_consistency=dict(operator=operator,
                                               every=every))
        assert found.isfinite().all()
        y = operator.A(y) if kind == 'mask' else y
        torch.testing.assert_close(operator.A(found), y, atol=2e-5, rtol=0)


# ---------------------------------------------- all components, no oracle


@pytest.mark.grid
@kinds
def test_processes_and_samplers(sde, sampler_class, kind):
    sampler = sampler_class()
    sampler = sampler.with_steps(4)
    sampler.clamp = (-1, 1)
    check(build(sde.float(), sampler), kind)


@pytest.mark.grid
@kinds
@pytest.mark.parametrize('output', OUTPUTS, ids=lambda cls: cls.__name__)
def test_processes_and_outputs(sde, output, kind):
    output = output(sigma_data=0.1) if 'sigma_data' in output.measured \
        else output()
    try:
        output.check(sde)
    except ValueError:
        pytest.skip('not supported')
    sampler = dict(type='irsde_mm.PosteriorSampler', num_steps=3,
                   clamp=(-1, 1))
    check(build(sde.float(), sampler, output), kind)


@pytest.mark.parametrize('every', ['step', 'last'])
def test_each_estimate_is_projected(every):
    """With 'step', the states between follow the measurement as well."""
    states = []
    pipeline = build()
    pipeline(HOLES, seed=1, callback=lambda p: states.append(p.states()[0]),
             data_consistency=dict(operator=MaskOperator(KEEP), every=every))
    error = np.abs(states[-1].astype(float) - PHOTO)[KEEP].max()
    assert error <= 0.5 if every == 'step' else error > 5
    assert pipeline.network.calls == 3


# -------------------------------------------------------------- images


@pytest.mark.parametrize('every', ['step', 'last'])
def test_known_pixels_are_kept(every):
    pipeline = build()
    before = pipeline(HOLES, seed=1)
    found = pipeline(HOLES, seed=1, data_consistency=dict(
        operator=MaskOperator(KEEP), every=every))
    assert np.array_equal(found[KEEP], PHOTO[KEEP])
    assert not np.array_equal(before[KEEP], PHOTO[KEEP])
    assert not np.array_equal(found[~KEEP], HOLES[~KEEP])
    # the same holes, found by their color
    again = pipeline(HOLES, seed=1, data_consistency=dict(
        operator='mask', every=every))
    assert np.array_equal(again, found)


@pytest.mark.parametrize('kernel', KERNELS)
@pytest.mark.parametrize('white', [0, 0.3])
def test_reducing_the_result_gives_the_photo(kernel, white):
    """Also with clipped regions, rounding to 8 bits and a random network."""
    large = np.kron(RNG.random((10, 12, 3)), np.ones((8, 8, 1)))
    large = (255 * np.clip(large * (1 + white), 0, 1)).astype(np.float32)
    low = KERNELS[kernel](large, (20, 24)).round().clip(0, 255).astype('uint8')
    found = build(upscale=Upscale(4))(
        low, seed=1, data_consistency=DownsamplingOperator(4, kernel))
    again = KERNELS[kernel](found.astype(np.float32), (20, 24))
    error = np.square(again - low).mean()
    assert -10 * np.log10(error / 255**2) >= 50


def test_deblurring():
    smooth = convolved(PHOTO.astype(np.float32), np.ones((5, 5), np.float32)
                       / 25)
    photo = convolved(smooth, KERNEL).round().clip(0, 255).astype(np.uint8)
    pipeline = build()

    def error(found):
        found = convolved(found.astype(np.float32), KERNEL)
        return np.square(found - photo).mean()**0.5

    assert error(pipeline(photo, seed=1)) > 4
    found = pipeline(photo, seed=1, data_consistency=BlurOperator(KERNEL))
    assert error(found) < 1


def test_images_of_a_batch_are_independent():
    torch.manual_seed(1)
    network = ConditionalNAFNet(width=4, enc_blocks=[1], middle_blocks=1,
                                dec_blocks=[1])
    pipeline = RestorationPipeline(network.requires_grad_(False).eval(),
                                   IRSDE(0.1, num_steps=T), 'balanced')
    images = [HOLES, HOLES[:19, :].copy(), HOLES[::-1].copy()]
    names = ['a.png', 'b.png', 'c.png']
    for order in ('RGB', 'BGR'):
        pipeline.order = order
        together = pipeline.restore_batch(images, names,
                                          data_consistency='mask')
        for image, name, found in zip(images, names, together):
            known = (image < 255).all(2)
            assert np.array_equal(found[known], image[known])
            alone, = pipeline.restore_batch([image], [name],
                                            data_consistency='mask')
            assert np.abs(alone.astype(int) - found).max() <= 1


def test_tiles_and_tensors():
    image = np.tile(HOLES, (8, 6, 1))
    pipeline = build()
    known = (image < 255).all(2)
    found = pipeline(image, seed=1, tile=128, data_consistency='mask')
    assert np.array_equal(found[known], image[known])
    tensor = pipeline(as_tensor(HOLES), seed=1,
                      data_consistency=MaskOperator(KEEP))
    assert torch.equal((tensor * 255).round()[0, :, KEEP],
                       (as_tensor(HOLES) * 255).round()[0, :, KEEP])


def test_noise_below_which_nothing_is_projected():
    pipeline = build()
    found = [pipeline(HOLES, seed=1, data_consistency=dict(
        operator=MaskOperator(KEEP), sigma=sigma)) for sigma in (0, 0.05, 1)]
    plain = pipeline(HOLES, seed=1)
    assert np.array_equal(found[2], plain)
    errors = [np.square(image.astype(float) - PHOTO)[KEEP].mean()
              for image in (*found[:2], plain)]
    assert errors[0] == 0 < errors[1] < errors[2]


# ------------------------------------------------------- other operators


class Average:
    """Object with the methods of deepinv's LinearPhysics: mean over a row of
    two pixels."""

    def A(self, x):
        return (x[..., ::2] + x[..., 1::2]).repeat_interleave(2, -1) / 2

    A_adjoint = A_dagger = A


class Colorless(Average):
    A_adjoint = None


class Skewed(Average):
    def A_adjoint(self, y):
        return y.roll(1, -1)


class Small(Average):
    def A(self, x):
        return x[..., ::2]

    def A_adjoint(self, y):
        return torch.stack((y, 0 * y), -1).flatten(-2)


def test_objects_with_the_methods_of_deepinv():
    operator = Average()
    inputs = torch.rand(1, 3, 8, 16)
    y = operator.A(inputs)
    found = build().restore(y, generators=[torch.Generator()],
                            data_consistency=operator)
    torch.testing.assert_close(operator.A(found), y, atol=1e-5, rtol=0)


def test_deepinv():
    """Skipped without deepinv, which only development requires."""
    physics = pytest.importorskip('deepinv').physics
    size = (3, 16, 24)
    mask = torch.from_numpy(RNG.random(size[1:]) > 0.3).float()[None]
    generator = [torch.Generator()]
    for operator, upscaling in (
            (physics.Inpainting(size, mask=mask), None),
            (physics.Denoising(), None),
            (physics.Downsampling(size, filter='bicubic', factor=2),
             Upscale(2))):
        pipeline = build(upscale=upscaling)
        y = operator.A(torch.rand(1, *size))
        found = pipeline.restore(upscaling(y) if upscaling else y,
                                 generators=generator,
                                 data_consistency=operator)
        torch.testing.assert_close(operator.A(found), y, atol=2e-3, rtol=0)


# -------------------------------------------------------------- options


def test_forms_of_the_option():
    operator = MaskOperator(KEEP)
    settings = DataConsistency(operator)
    for value in (operator, dict(operator=operator), settings, dict(
            operator=operator, every='step', sigma=0)):
        assert data_consistency(value) == settings
    assert data_consistency(None) is data_consistency(False) is None
    assert data_consistency(True) == data_consistency({}) == DataConsistency()
    found = data_consistency(dict(operator=dict(
        type='irsde_mm.DownsamplingOperator', scale=3, kernel='area')))
    assert (found.operator.scale, found.operator.kernel) == (3, 'area')


@pytest.mark.parametrize('degradation, upscale, expected', [
    ([dict(type='irsde_mm.KeepMask')], 1, MaskOperator),
    ([dict(type='irsde_mm.KeepMask', color=(1, 2, 3))], 1, MaskOperator),
    ([dict(type='irsde_mm.KeepMask', color='random')], 1, 'random color'),
    ([dict(type='irsde_mm.LowResolution', scale=4, kernel='area'),
      dict(type='irsde_mm.Upsample', scale=4)], 4, DownsamplingOperator),
    ([dict(type='irsde_mm.LowResolution', scale=4, kernel=['area', 'lanczos'])
      ], 4, 'kernel must be in'),
    ([dict(type='irsde_mm.MotionBlur')], 1, 'needs its kernel'),
    ([dict(type='irsde_mm.RainStreaks')], 1, 'no operator is known'),
    ([], 1, 'no operator is known'),
    ([dict(type='irsde_mm.KeepMask'), dict(type='irsde_mm.JPEG')], 1,
     'no operator is known')])
def test_operator_of_a_model(degradation, upscale, expected):
    if isinstance(expected, str):
        with pytest.raises(ConfigError, match=expected):
            DataConsistency().for_model(degradation, upscale)
        return
    found = DataConsistency(sigma=0.1).for_model(degradation, upscale)
    assert isinstance(found.operator, expected) and found.sigma == 0.1
    if expected is DownsamplingOperator:
        assert (found.operator.scale, found.operator.kernel) == (4, 'area')
    elif 'color' in degradation[0]:
        assert found.operator.color.tolist() == [3, 2, 1]


class Latent(Hooks):
    def encode(self, images):
        return images * 2, None

    def decode(self, x, context):
        return x / 2


@pytest.mark.parametrize('value, words', [
    ('rain', "unknown operator 'rain'"), (dict(every='never'), 'every'),
    (dict(sigma=2), 'sigma'), (dict(sigma='much'), 'sigma'),
    (dict(strength=1), 'strength'), (True, 'no operator is known'),
    ('blur', 'needs its kernel'), ('downsampling', 'does not enlarge'),
    (dict(operator=dict(type='irsde_mm.BlurOperator', kernel=[[0.7]])),
     'sums to 0.7'),
    (dict(operator=dict(type='irsde_mm.IRSDE')), 'no component'),
    (dict(operator=dict(type='irsde_mm.MaskOperator', size=3)), 'size'),
    (Colorless(), 'no method A_adjoint'), (Skewed(), 'not the adjoint'),
    (Small(), 'is not the size of the degraded image'),
    (MaskOperator(np.ones((4, 5), bool)), 'mask is 5x4, but the photo is 30x'),
])
def test_errors_come_before_any_call(value, words):
    pipeline = build()
    with pytest.raises((ConfigError, DataError), match=words) as error:
        pipeline(PHOTO[:, :30], data_consistency=value)
    assert '\n' not in str(error.value)
    assert pipeline.network.calls == 0


def test_models_without_estimates_in_images():
    pipeline = build(hooks=Latent())
    with pytest.raises(ConfigError, match='does not run on images'):
        pipeline(HOLES, data_consistency='mask')
    assert pipeline(HOLES).shape == HOLES.shape


def test_inputs_that_were_not_upsampled():
    with pytest.raises(ImageError, match='upsampled by the factor 2'):
        build().restore(as_tensor(PHOTO[:, :30]),
                        data_consistency=DownsamplingOperator(2))


def test_setting_of_a_pipeline():
    pipeline = build(data_consistency='mask')
    found = pipeline(HOLES, seed=1)
    assert np.array_equal(found[KEEP], PHOTO[KEEP])
    plain = pipeline(HOLES, seed=1, data_consistency=False)
    assert np.array_equal(plain, build()(HOLES, seed=1))


# ------------------------------------------------------------- interfaces


def test_inferencer(tmp_path):
    """The written file has the known pixels, bit by bit."""
    path = tmp_path / 'holes.png'
    Image.fromarray(HOLES[..., ::-1]).save(path)
    inferencer = RestorationInferencer('inpaint', device='cpu')
    found, = inferencer(str(path), data_consistency=True, show_progress=False,
                        out_dir=str(tmp_path / 'out'), samples=2)[
                            'predictions']
    for file in found.files[:2]:
        with Image.open(file) as picture:
            assert np.array_equal(np.asarray(picture)[KEEP],
                                  PHOTO[..., ::-1][KEEP])
    assert np.array_equal(found.image, restore(
        inferencer.pipeline, str(path), data_consistency='mask'))
    small = tmp_path / 'small.png'
    Image.fromarray(HOLES[:10, :9]).save(small)
    results = inferencer([str(path), str(small)], show_progress=False,
                         data_consistency=MaskOperator(KEEP))
    first, second = results['predictions']
    assert first.error is None and 'mask is 31x20' in str(second.error)
    with pytest.raises(ConfigError, match='interpolation does not support'):
        inferencer.interpolate(HOLES, HOLES, data_consistency='mask')


def test_restorer_and_export(tmp_path):
    from irsde_mm.apis.export import export
    from irsde_mm.config import load_config
    from irsde_mm.apis.edit_models import model_from_config
    operator = dict(type='irsde_mm.MaskOperator', color=255)
    cfg = load_config('bsds/denoise_published', {
        'model.test_cfg.data_consistency': dict(operator=operator),
        'model.sde.sigma': 0.1, 'model.test_cfg.sigma': None})
    model = model_from_config(cfg)
    assert isinstance(model.pipeline.data_consistency.operator, LinearOperator)
    found = model.forward_tensor(as_tensor(HOLES))
    assert torch.equal(found[0, :, KEEP], as_tensor(HOLES)[0, :, KEEP])
    with pytest.raises(ConfigError, match='data_consistency; remove it'):
        export(model, tmp_path / 'model.safetensors', 'a model')


def test_regression_models_refuse():
    from irsde_mm.apis.edit_models import model_from_config
    from irsde_mm.config import load_config
    model = model_from_config(load_config('baselines/quickstart/derain_cnn'))
    with pytest.raises(ConfigError, match='is not a diffusion model'):
        restore(model, PHOTO, data_consistency='mask')
    assert restore(model, PHOTO, data_consistency=False).shape == PHOTO.shape


