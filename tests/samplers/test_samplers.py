"""Properties of every registered sampler, golden runs, time grids."""
import itertools

import pytest
import torch
from conftest import SAMPLERS, SDES, build_sde, predict
from irsde_mm.samplers import (EulerMaruyamaSampler,
                               JumpSampler, MultistepSampler,
                               PosteriorSampler, ProbabilityFlowSampler,
                               Sampler)
from irsde_mm.sde import (IRSDE, SDE, CleanOutput, DenoisingSDE,
                          EulerNoiseOutput)


def test_refused_pairs():
    """The pairs that conftest.py leaves out of the other tests."""
    refused = {}
    for cls in SDES:
        for sampler_class in SAMPLERS:
            sampler, sde = sampler_class(), build_sde(cls)
            try:
                sampler.begin(sde, 100)
            except ValueError as error:
                refused.setdefault(cls.__name__, {})[
                    sampler_class.__name__] = str(error)
    log_snr = ('log_snr', 'karras', 'MultistepSampler')
    assert set(refused) == {cls.__name__ for cls in SDES} - {'IRSDE', 'VPSDE'}
    for name in ('DenoisingSDE', 'UniDB'):
        assert all('Diffusers' in text for text in refused[name])
    for name, text in refused['GOUB'].items():
        assert name.startswith('Diffusers') or (
            name.endswith(log_snr) and "grid='uniform'" in text)
    euler = {cls.__name__ for cls in SAMPLERS if cls.needs_euler_form}
    jumps = {'PosteriorSampler', 'JumpSampler'}
    multistep = {'MultistepSampler-1-sde-data-uniform'}
    noise = {'MultistepSampler-2-ode-noise-uniform'}
    solvers = {cls.__name__ for cls in SAMPLERS
               if 'Diffusers' not in cls.__name__} - euler
    for name, allowed in (
            ('ResShift', solvers), ('RDDM', jumps | multistep),
            ('StraightSDE', jumps | multistep),
            ('I2SB', jumps | multistep | noise),
            ('StraightBridge', jumps | multistep | noise),
            ('StraightFlow', jumps)):
        assert {s.__name__ for s in SAMPLERS} - set(refused[name]) == allowed
        assert all('Euler form' in refused[name][cls] for cls in euler)


def oracle(sde, x0, mu):
    output = CleanOutput()
    return lambda xt, t: output.decode(sde, x0, xt, mu, t)


def run(sampler, sde, x0, mu, **kwargs):
    """Sample from T with a network that knows x0."""
    g = torch.Generator().manual_seed(1)
    noise = torch.randn(x0.shape, generator=g, dtype=x0.dtype)
    xt = sde.perturb(x0, mu, sde.num_steps, noise)
    return sampler.sample(sde, oracle(sde, x0, mu), xt, mu, sde.num_steps,
                          generator=g, **kwargs)


@pytest.mark.grid
def test_oracle_leads_to_the_clean_image(sampler_class, sde: SDE, images):
    """With the true noise every sampler ends near x0. Samplers that estimate
    x0 end exactly there."""
    x0, mu, _ = images
    error = (run(sampler_class(), sde, x0, mu) - x0).abs().max()
    assert error < (0.1 if sampler_class.needs_euler_form else 1e-6)


@pytest.mark.parametrize('schedule, steps, slope', [
    ('cosine', (100, 800), 0.85), ('linear', (200, 1600), 0.4),
    ('constant', (200, 1600), 0.4)])
def test_euler_converges(schedule, steps, slope, images):
    x0, mu, _ = images
    x0, mu = x0.repeat(16, 1, 1, 1), mu.repeat(16, 1, 1, 1)
    errors = []
    for n in steps:
        sde = build_sde(IRSDE, n, schedule=schedule)
        error = run(EulerMaruyamaSampler(), sde, x0, mu) - x0
        errors.append(float(error.square().mean().sqrt()))
    measured = torch.tensor(errors[0] / errors[1]).log2() / 3
    assert measured > slope


@pytest.mark.grid
@pytest.mark.parametrize('num_steps', [1, 3, 10, 99, 100])
def test_any_number_of_steps(sampler_class, sde: SDE, images, num_steps):
    x0, mu, _ = images
    seen, order = [], getattr(sampler_class(), 'order', 1)
    if order > num_steps or ('DDIM' in sampler_class.__name__ and (
            100 % num_steps)):
        with pytest.raises(ValueError, match='order|divide'):
            run(sampler_class(num_steps=num_steps), sde, x0, mu)
        return
    result = run(sampler_class(num_steps=num_steps), sde, x0, mu,
                 callback=lambda s, xs: seen.append((s, xs)))
    assert len(seen) == num_steps
    assert seen[-1][0] == 0 and torch.equal(seen[-1][1], result)
    assert [s for s, _ in seen] == sorted({s for s, _ in seen}, reverse=True)
    # Euler steps are of first order; the others end at x0 exactly
    limit = 20 / num_steps if sampler_class.needs_euler_form else 1e-6
    assert (result - x0).abs().max() < limit


@pytest.mark.grid
def test_too_many_steps(sampler_class, sde: SDE, images):
    x0, mu, _ = images

    def never(xt, t):
        raise AssertionError('the network was called')

    sampler = sampler_class(num_steps=21)
    if isinstance(sampler, MultistepSampler):  # its times may be fractional
        assert len(sampler.grid(sde, 20)) == 22
        with pytest.raises(ValueError, match='t_start=1 '):
            MultistepSampler(21).sample(sde, never, x0, mu, 1)
        return
    with pytest.raises(ValueError, match='t_start=20'):
        sampler.sample(sde, never, x0, mu, 20)


@pytest.mark.grid
def test_start_at_zero_returns_the_input(sampler_class, sde: SDE, images):
    x0, mu, _ = images
    assert torch.equal(sampler_class().sample(sde, None, x0, mu, 0), x0)


@pytest.mark.grid
def test_draws_replace_the_generator(sampler_class, sde: SDE, images):
    x0, mu, noise = images
    sampler = sampler_class(num_steps=10)
    z = list(torch.randn(12, *x0.shape, dtype=x0.dtype))
    unused = iter(z)
    first = sampler.sample(sde, oracle(sde, x0, mu), noise, mu, 100,
                           draws=unused)
    assert len(list(unused)) == 2, 'one draw per step, used or not'
    again = sampler.sample(sde, oracle(sde, x0, mu), noise, mu, 100, draws=z)
    assert torch.equal(first, again)
    with pytest.raises(ValueError, match='5 of the 10'):
        sampler.sample(sde, oracle(sde, x0, mu), noise, mu, 100, draws=z[:5])
    endless = itertools.repeat(torch.zeros_like(x0))
    sampler.sample(sde, oracle(sde, x0, mu), noise, mu, 100, draws=endless)


@pytest.mark.grid
def test_generators_repeat(sampler_class, sde: SDE, images):
    x0, mu, noise = images

    def net(xt, t):
        return torch.tanh(xt - mu)

    def restore(seeds, rows):
        gens = [torch.Generator().manual_seed(s) for s in seeds]
        return sampler_class(num_steps=5).sample(
            sde, lambda x, t: torch.tanh(x - mu[rows]), noise[rows], mu[rows],
            100, generator=gens)

    both = restore([1, 2], slice(0, 2))
    assert torch.equal(both, restore([1, 2], slice(0, 2)))
    assert torch.equal(both[1:], restore([2], slice(1, 2)))
    kept = noise.clone()
    sampler_class(num_steps=5).sample(sde, net, noise, mu, 100)
    assert torch.equal(noise, kept), 'the initial state was modified'


def test_only_stochastic_samplers_use_the_generator(sampler_class, images):
    x0, mu, noise = images
    sampler, g = sampler_class(num_steps=5), torch.Generator().manual_seed(3)
    before = g.get_state()
    sampler.sample(build_sde(IRSDE), lambda x, t: x - mu, noise, mu, 100,
                   generator=g)
    assert torch.equal(before, g.get_state()) != sampler.stochastic


def test_shift_invariance(sampler_class, images):
    x0, mu, noise = images
    sde, z = build_sde(IRSDE), list(torch.randn(10, *x0.shape))
    a, b = (sampler_class(num_steps=10).sample(
        sde, lambda x, t, m=mu + k: torch.tanh(x - m), noise + k, mu + k, 100,
        draws=z) for k in (0, 3))
    torch.testing.assert_close(a + 3, b, rtol=1e-5, atol=1e-5)


def test_clamp_limits_x0(images):
    x0, mu, noise = images
    result = PosteriorSampler(clamp=(0, 1)).sample(
        build_sde(IRSDE), lambda x, t: 5 * torch.tanh(x - mu), noise, mu, 100)
    assert result.min() >= -1e-6 and result.max() <= 1 + 1e-6
    with pytest.raises(ValueError, match='clamp'):
        PosteriorSampler(clamp=(1, 0))


def test_debias_is_applied(images):
    x0, mu, noise = images
    sde = build_sde(IRSDE)
    z = list(torch.randn(10, *x0.shape, dtype=x0.dtype))

    def net(x, t):
        return torch.tanh(x - mu)

    output = EulerNoiseOutput()
    a = PosteriorSampler(10).sample(
        sde, lambda x, t: output.decode(sde, net(x, t), x, mu, t), noise, mu,
        100, draws=z)
    b = PosteriorSampler(10).sample(
        sde, lambda x, t: sde.debias(net(x, t), x, mu, t), noise, mu, 100,
        draws=z)
    assert torch.equal(a, b)


def test_posterior_is_the_full_jump(images):
    x0, mu, noise = images
    sde = build_sde(IRSDE)
    z = torch.randn_like(x0)
    for t, s in ((100, 99), (60, 10), (5, 0)):
        prediction = predict(sde, noise, noise, mu, t)
        torch.testing.assert_close(
            PosteriorSampler().step(sde, noise, prediction, t, s, z),
            JumpSampler(eta=1.0).step(sde, noise, prediction, t, s, z),
            rtol=1e-5, atol=1e-5)


@pytest.mark.grid
@pytest.mark.parametrize('num_steps', [0, -1, 2.5])
def test_bad_num_steps(sampler_class, num_steps):
    with pytest.raises(ValueError, match='num_steps'):
        sampler_class(num_steps=num_steps)


def test_bad_eta():
    with pytest.raises(ValueError, match='eta'):
        JumpSampler(eta=1.5)


def test_grid_is_rounded_linear():
    sde = IRSDE(0.1)
    assert PosteriorSampler(4).grid(sde, 10) == [10, 8, 5, 2, 0]
    assert PosteriorSampler().grid(sde, 5) == [5, 4, 3, 2, 1, 0]


@pytest.mark.parametrize('sampler, name', [
    (EulerMaruyamaSampler(), 'traj_reverse_sde'),
    (PosteriorSampler(), 'traj_reverse_posterior'),
    (ProbabilityFlowSampler(), 'traj_reverse_ode')])
@pytest.mark.parametrize('dtype', [torch.float64, torch.float32])
def test_golden_runs(golden, sampler: Sampler, name, dtype):
    g = {k: v.to(dtype) if v.is_floating_point() else v
         for k, v in golden('irsde_cosine_T100').items()}
    mu, sde = g['mu'], IRSDE(10 / 255)
    end = sampler.sample(
        sde, lambda x, t: 0.7 * torch.tanh(x - mu) + 0.01 * t / 100,
        g['traj_xT'], mu, 100, draws=g['traj_z'])
    assert (end - g[name]).abs().max() < 1e-3 * g[name].abs().max()


def test_golden_denoising_run(golden):
    g = golden('denoising_sde_T1000')
    end = ProbabilityFlowSampler().sample(
        DenoisingSDE(70 / 255, num_steps=1000),
        lambda x, t: 0.7 * torch.tanh(x - 0.5) + 0.01 * t / 1000,
        g['traj_xT'], None, int(g['traj_T']))
    expected = g['traj_reverse_ode']
    assert (end - expected).abs().max() < 1e-3 * expected.abs().max()
