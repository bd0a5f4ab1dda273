"""StraightSDE: its flow, its diffusion, its ends."""
import pytest
import torch
from irsde_mm.samplers import JumpSampler, MultistepSampler, PosteriorSampler
from irsde_mm.sde import (CleanOutput, NoiseOutput, PreconditionedOutput,
                          ResidualNoiseOutput, StepOutput, StraightSDE,
                          VelocityOutput)

T = 100


def straight(**kwargs) -> StraightSDE:
    return StraightSDE(num_steps=T, **kwargs).double()


def close(a, b, tol=1e-6):
    torch.testing.assert_close(a, b, rtol=tol, atol=tol)


@pytest.mark.parametrize('bridge', [False, True])
@pytest.mark.parametrize('t', [0.5, 1.5, 30.5, 50.5, 99.5])
def test_velocity_is_the_derivative(bridge, t):
    sde, h = straight(sigma=0.2, bridge=bridge), 1e-3
    for before, after, slope in zip(
            sde.coefficients(t - h), sde.coefficients(t + h),
            sde.velocity(t)):
        close((after - before) / (2 * h), slope, 1e-4)


@pytest.mark.parametrize('bridge', [False, True])
def test_diffusion(bridge):
    """Paths of the stated SDE have the marginal, and its transition does not
    depend on x0."""
    sigma, n, per_step = 0.3, 10_000, 10
    sde = straight(sigma=sigma, bridge=bridge)
    x0, mu = torch.tensor(0.9), torch.tensor(0.2)
    x, dt = torch.full((n, ), 0.9), 1 / per_step
    for i in range(90 * per_step):
        t = i * dt
        g2 = sigma**2 / T if bridge else 2 * sigma**2 * t / (T * (T - t))
        x = x + (mu - x) / (T - t) * dt + (g2 * dt)**0.5 * torch.randn(n)
        if i + 1 in (30 * per_step, 90 * per_step):
            mean, std = sde.marginal(x0, mu, round(t + dt))
            assert abs(float(x.mean() - mean)) < 0.01
            assert abs(float(x.std() / std) - 1) < 0.03
    xs = torch.rand(4)
    close(*(sde.transition(xs, torch.tensor(value), mu, 30, 70)[0]
            for value in (0., 1.)))


@pytest.mark.parametrize('sigma', [0., 0.1])
@pytest.mark.parametrize('t, s', [(100, 80), (60.5, 13.25), (7, 0)])
def test_jump_is_an_euler_step(images, sigma, t, s):
    """For any output, also where state and prediction disagree."""
    xt, mu, v = images
    sde, jump = straight(sigma=sigma), JumpSampler(eta=0.)
    if not sigma and t == T:
        xt = mu
    euler = xt + (s - t) * v
    for output, out in ((VelocityOutput(), v), (CleanOutput(), xt - t * v)):
        prediction = output.decode(sde, out, xt, mu, t)
        close(prediction.x0, xt - t * v)
        close(jump.step(sde, xt, prediction, t, s), euler)


@pytest.mark.parametrize('sigma', [0., 0.1])
@pytest.mark.parametrize('n', [1, 4, 100])
def test_sampling_is_euler_on_the_flow(images, sigma, n):
    """With a network whose velocity is not constant along a path."""
    _, mu, noise = images
    sde, output, g = straight(sigma=sigma), VelocityOutput(), torch.Generator()

    def velocity(x, t):
        return torch.tanh(x - 0.3 * mu + t / T) / T

    x, t = sde.start(mu, g.manual_seed(1))
    states = []
    JumpSampler(n, eta=0.).sample(
        sde, lambda x, t: output.decode(sde, velocity(x, t), x, mu, t), x, mu,
        t, g, callback=lambda s, xs: states.append(xs))
    for t, found in zip(torch.arange(n, 0, -1) * T // n, states):
        x = x - T // n * velocity(x, t)
        close(found, x)


@pytest.mark.parametrize('eta', [0., 1.])
def test_sampling_a_gaussian(eta):
    """The exact denoiser leads from the start to the distribution of x0."""
    sde, n = straight(sigma=0.2), 20_000
    m, r, mu = 0.7, 0.1, torch.full((n, 1, 1, 1), 0.3, dtype=torch.float64)

    def denoiser(x, t):
        a, b, c = sde.coefficients(t)
        gain = a * r**2 / ((a * r)**2 + c**2)
        return CleanOutput().decode(
            sde, m + gain * (x - a * m - b * mu), x, mu, t)

    x = JumpSampler(eta=eta).sample(sde, denoiser, sde.start(mu)[0], mu, T)
    assert abs(float(x.mean()) - m) < 0.01
    assert abs(float(x.std()) / r - 1) < 0.05


def test_no_noise_anywhere(images):
    """Start, steps and results do not depend on the generator, which is not
    used where the sampler is deterministic."""
    x0, mu, _ = images
    sde, g = straight(), torch.Generator().manual_seed(0)
    before = g.get_state()
    xt, t = sde.start(mu, g)
    assert torch.equal(xt, mu) and t == T

    def denoiser(x, t):
        return CleanOutput().decode(sde, torch.tanh(x), x, mu, t)

    first = JumpSampler(5, eta=0.).sample(sde, denoiser, xt, mu, T, g)
    assert torch.equal(g.get_state(), before)
    for sampler in (JumpSampler(5, eta=1.), PosteriorSampler(5)):
        close(sampler.sample(sde, denoiser, xt, mu, T, g), first)
    assert not any(sde.coefficients(torch.arange(T + 1))[2])


def test_start_has_the_noise_of_the_end():
    mu = torch.rand(1, 3, 64, 64)
    xt, _ = StraightSDE(0.1).start(mu, torch.Generator().manual_seed(0))
    assert abs(float((xt - mu).std()) - 0.1) < 0.01
    bridge = StraightSDE(0.1, bridge=True)
    assert torch.equal(bridge.start(mu)[0], mu)
    for sde in (bridge, StraightSDE()):
        with pytest.raises(ValueError, match='StraightSDE starts in .*sigma'):
            sde.start(mu, sigma=0.1)


def test_velocity_at_the_end_of_a_bridge(images):
    """The state has no noise, so the target is the mean velocity."""
    x0, mu, noise = images
    sde, output = straight(sigma=0.2, bridge=True), VelocityOutput()
    target = output.target(sde, mu, x0, mu, T, noise)
    close(target, (mu - x0) / T)
    close(output.decode(sde, target, mu, mu, T).x0, x0)


@pytest.mark.parametrize('output', [
    NoiseOutput, StepOutput, PreconditionedOutput, ResidualNoiseOutput])
def test_outputs_that_need_noise(output):
    output().check(straight(sigma=0.1))
    with pytest.raises(ValueError, match='with noise.*VelocityOutput'):
        output().check(straight())


def test_solver_in_the_log_snr_needs_noise():
    with pytest.raises(ValueError, match='no noise; use JumpSampler'):
        MultistepSampler(grid='uniform').begin(straight(), T)


@pytest.mark.parametrize('sigma', [-0.1, 1.1, float('nan')])
def test_bad_sigma(sigma):
    with pytest.raises(ValueError, match='sigma must be in .0, 1'):
        StraightSDE(sigma)
