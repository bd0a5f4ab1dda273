"""Crispness: m + s (sample - m) for every process and output."""
import numpy as np
import pytest
import torch
from conftest import OUTPUTS, SDES
from irsde_mm.errors import ConfigError
from irsde_mm.inference import Hooks, NetworkCalls, RestorationPipeline
from irsde_mm.inference.crispness import MEAN_DRAWS
from irsde_mm.networks import ConditionalNAFNet
from irsde_mm.samplers import (EulerMaruyamaSampler, JumpSampler,
                               PosteriorSampler, ProbabilityFlowSampler)
from irsde_mm.sde import (GOUB, IRSDE, SDE, CleanOutput, DenoisingSDE,
                          NoiseOutput, ResidualOutput, StraightSDE,
                          VelocityOutput)
from torch import Tensor, nn

RNG = np.random.default_rng(0)
A, B = (RNG.integers(0, 256, (20, 31, 3), dtype=np.uint8) for _ in 'ab')
T = 20


class Network(nn.Module):
    """A smooth function of its inputs that depends on every argument."""

    in_channels = 3

    def __init__(self, channels: int = 1) -> None:
        super().__init__()
        self.channels = channels
        self.scale = nn.Parameter(torch.tensor(0.3), requires_grad=False)

    def forward(self, xt: Tensor, mu: Tensor, t) -> Tensor:
        out = torch.sin(self.scale * (5 * xt - 3 * mu + t / T))
        return torch.cat([out] * self.channels, dim=1)


def build(sde: SDE, output, sampler='balanced',
          **options) -> RestorationPipeline:
    return RestorationPipeline(Network(output.channels), sde, sampler, output,
                               **options)


def clean(sampler='balanced', **options) -> RestorationPipeline:
    return build(IRSDE(0.1, num_steps=T), ResidualOutput(), sampler, **options)


def noise(sampler='fast', **options) -> RestorationPipeline:
    return build(IRSDE(0.1, num_steps=T), NoiseOutput(), sampler, **options)


def restore(pipe: RestorationPipeline, n: int = 2, **options) -> Tensor:
    """Return the restored random images, not clipped."""
    inputs = torch.rand(n, 3, 8, 8,
                        generator=torch.Generator().manual_seed(0))
    options = dict(generators=pipe.generators(n, seed=3)) | options
    if pipe.sde.starts_at_noise_level:
        options['sigmas'] = [0.2, 0.3, 0.1][:n]
    return pipe.restore(inputs, **options)


def mean_of(pipe: RestorationPipeline) -> Tensor:
    """Return the mean for the images of :func:`restore`."""
    kind = pipe.choose_dial(0).mean
    if kind == 'call':
        return restore(pipe, sampler=JumpSampler(1, clamp=pipe.sampler.clamp))
    assert kind == 'draws'
    generators = pipe.generators(2, seed=3)
    return torch.stack([restore(pipe, generators=generators)
                        for _ in range(MEAN_DRAWS)]).mean(0)


@pytest.mark.parametrize('output', OUTPUTS, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize('cls', SDES, ids=lambda cls: cls.__name__)
def test_line_between_the_mean_and_the_sample(cls, output):
    output = output()
    if output.measured:
        output.sigma_data = 0.2
    try:
        pipe = build(cls.example(T), output)
    except ValueError as error:
        pytest.skip(str(error))
    plain, full, none, half, more = (
        restore(pipe, crispness=s) for s in (None, 1, 0, 0.5, 1.25))
    assert torch.equal(plain, full)
    close = dict(rtol=1e-4, atol=1e-4 * float(plain.abs().max()))
    torch.testing.assert_close(none, mean_of(pipe), **close)
    torch.testing.assert_close(half, (none + plain) / 2, **close)
    torch.testing.assert_close(more, none + 1.25 * (plain - none), **close)
    assert not torch.equal(plain, none)


@pytest.mark.parametrize('pipe, kind', [
    (clean(), 'call'), (noise(), 'draws'),
    (build(IRSDE(0.1, num_steps=T), VelocityOutput()), 'draws'),
    (build(StraightSDE(0.1, num_steps=T), VelocityOutput()), 'call'),
    (build(StraightSDE(0.1, num_steps=T, bridge=True),
           VelocityOutput()), 'call'),
    (build(GOUB(0.1, num_steps=T), VelocityOutput()), 'draws'),
    (build(StraightSDE(0., num_steps=T), VelocityOutput()), 'call'),
    (build(GOUB(0.1, num_steps=T), CleanOutput()), 'call'),
    (build(DenoisingSDE(0.3, num_steps=T), NoiseOutput()), 'call')])
def test_source_of_the_mean(pipe, kind):
    """One call, unless it multiplies the error of the output."""
    assert pipe.choose_dial(0.5).mean == kind
    assert pipe.trajectories(0.5) == (MEAN_DRAWS if kind == 'draws' else 1)
    assert pipe.trajectories() == pipe.trajectories(1) == 1


def test_one_call_costs_nothing():
    """The mean comes from the first call of the sample."""
    calls = []
    pipe = clean()
    pipe.network.register_forward_hook(lambda *_: calls.append(1))
    pipe(A, crispness=0.5)
    assert len(calls) == 3
    calls.clear()
    pipe = noise()
    pipe.network.register_forward_hook(lambda *_: calls.append(1))
    pipe(A, crispness=0.5)
    assert len(calls) == 5 * MEAN_DRAWS


def test_the_mean_is_more_accurate_than_a_draw():
    """For a Gaussian prior, whose exact noise is known."""
    sde, sd = IRSDE(0.2, num_steps=T), 0.3

    class Exact(Network):
        def forward(self, xt, mu, t):
            a, b, c = sde.coefficients(t)
            return c * (xt - (a + b) * mu) / ((a * sd)**2 + c**2)

    pipe = RestorationPipeline(Exact(), sde, PosteriorSampler(),
                               NoiseOutput())
    mu = torch.full((1, 3, 32, 32), 0.5)
    errors = []
    for s in (0, 0.5, 1):
        restored = pipe.restore(mu, generators=pipe.generators(1, seed=1),
                                crispness=s)
        errors.append(float((restored - mu).square().mean()))
    # the variance of draws, and that of their mean
    assert errors[2] == pytest.approx(sd**2, rel=0.3)
    assert errors[0] == pytest.approx(errors[2] / MEAN_DRAWS, rel=0.2)
    assert errors == sorted(errors)


@pytest.mark.parametrize('make', [clean, noise])
def test_batches_and_draws(make):
    """Padded images of different sizes equal single ones."""
    pipe = make()
    torch.manual_seed(1)
    pipe.network = ConditionalNAFNet(
        width=4, enc_blocks=[1], middle_blocks=1, dec_blocks=[1])
    for p in pipe.network.requires_grad_(False).eval().parameters():
        p += 0.01 * torch.randn_like(p)  # some layers are zero
    images, names = [A, B[:19]], ['a.png', 'b.png']
    together = pipe.restore_batch(images, names, crispness=0.4)
    for image, name, result in zip(images, names, together):
        alone, = pipe.restore_batch([image], [name], crispness=0.4)
        assert np.abs(alone.astype(int) - result).max() <= 1
    draw, = pipe.restore_batch([A], seed=1, draw=2, crispness=0.4)
    assert np.array_equal(draw, pipe(A, seed=3, crispness=0.4))
    assert not np.array_equal(draw, pipe(A, seed=3))


def test_noise_levels_of_each_image():
    pipe = build(DenoisingSDE(0.3, num_steps=T), NoiseOutput(),
                 JumpSampler(4))
    half = restore(pipe, 3, crispness=0.5)
    expected = (restore(pipe, 3) + restore(
        pipe, 3, sampler=JumpSampler(1))) / 2
    torch.testing.assert_close(half, expected)


def test_an_image_without_noise_is_kept():
    pipe = build(DenoisingSDE(0.3, num_steps=T), NoiseOutput(),
                 JumpSampler(4))
    inputs = torch.rand(1, 3, 8, 8)
    assert torch.equal(pipe.restore(inputs, sigmas=[0.], crispness=0.5),
                       inputs)


@pytest.mark.parametrize('make', [clean, noise])
def test_tiles(make):
    image = np.tile(A, (7, 5, 1))
    pipe = make(calls=NetworkCalls(fold=False))
    whole = pipe(image, seed=1, crispness=0.5)
    tiled = pipe(image, seed=1, crispness=0.5, tile=128)
    assert np.abs(tiled.astype(int) - whole).max() <= 1


def test_tensors():
    pipe = clean()
    tensor = torch.from_numpy(A[..., ::-1].copy()).permute(2, 0, 1) / 255
    found = (pipe(tensor, seed=1, crispness=0.3) * 255).round().byte()
    assert np.array_equal(found.permute(1, 2, 0).numpy()[..., ::-1],
                          pipe(A, seed=1, crispness=0.3))


class Halved(Hooks):
    """A latent of half the size, which is not linear in the image."""

    def encode(self, images):
        return images[..., ::2, ::2].square(), None

    def decode(self, x, context):
        return x.abs().sqrt().repeat_interleave(2, 2).repeat_interleave(2, 3)


@pytest.mark.parametrize('make', [clean, noise])
def test_latents_are_mixed_as_images(make):
    pipe = make(hooks=Halved())
    none, half, full = (restore(pipe, crispness=s) for s in (0, 0.5, 1))
    torch.testing.assert_close(half, (none + full) / 2)
    torch.testing.assert_close(none, mean_of(pipe))


class Blurred(Hooks):
    """A regression network in front of the process."""

    refines = True

    def condition(self, inputs):
        return inputs.mean((2, 3), keepdim=True).expand_as(inputs)


@pytest.mark.parametrize('make', [clean, noise])
@pytest.mark.parametrize('steps', [1, 3])
def test_refining_models_use_the_regression(make, steps):
    pipe = make(hooks=Blurred())
    none, half, full = (restore(
        pipe, crispness=s, sampler=JumpSampler(steps)) for s in (0, 0.5, 1))
    assert none.std((2, 3)).max() < 1e-6
    torch.testing.assert_close(half, (none + full) / 2)


def test_default_of_the_pipeline():
    pipe = clean(crispness=0.2)
    assert np.array_equal(pipe(A), clean()(A, crispness=0.2))
    assert np.array_equal(pipe(A, crispness=1), clean()(A))
    with pytest.raises(ConfigError, match='crispness=2 must be'):
        clean(crispness=2)


def test_progress_covers_all_draws():
    seen = []
    result = noise()(A, seed=1, crispness=0.5, callback=lambda p: seen.append(
        (p.step, p.steps, p.t, len(p.states()))))
    n = 5 * MEAN_DRAWS
    assert [item[:2] for item in seen] == [(i, n) for i in range(n + 1)]
    # only the sample has states
    assert [item[3] for item in seen] == [1] * 6 + [0] * (n - 5)
    assert np.array_equal(result, noise()(A, seed=1, crispness=0.5))


@pytest.mark.parametrize('value', [
    -0.1, 1.6, float('nan'), float('inf'), '0.5', True, [0.5]])
def test_invalid_values(value):
    with pytest.raises(ConfigError, match='crispness=.*from 0') as error:
        clean()(A, crispness=value)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('pipe, options, words', [
    (clean('fast'), {}, 'at least 2 calls'),
    (clean(), dict(steps=1), 'at least 2 calls'),
    (noise(JumpSampler(1)), {}, 'at least 2 calls'),
    (build(GOUB(0.1, num_steps=T), NoiseOutput(), ProbabilityFlowSampler()),
     {}, 'draws that differ.*ProbabilityFlowSampler'),
    (noise(JumpSampler(eta=0.)), dict(start=(torch.rand(1, 3, 20, 31), 9)),
     'draws that differ'),
    (clean(), dict(start=(torch.rand(1, 3, 20, 31), 1)), 'at least 2')])
def test_refused_where_it_would_change_nothing(pipe, options, words):
    calls = []
    pipe.network.register_forward_hook(lambda *_: calls.append(1))
    with pytest.raises(ConfigError, match=words):
        pipe.restore_batch([A], crispness=0.5, **options)
    assert not calls
    pipe.restore_batch([A], crispness=1, **options)


@pytest.mark.parametrize('sampler', [
    EulerMaruyamaSampler(), ProbabilityFlowSampler()])
def test_euler_samplers(sampler):
    """They do not jump to the estimate, which comes from their first call."""
    pipe = clean(sampler)
    torch.testing.assert_close(restore(pipe, crispness=0), mean_of(pipe))
