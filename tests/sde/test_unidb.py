"""UniDB against published values, its limits, and its end."""
import math

import pytest
import torch
from conftest import agree, floats
from irsde_mm.samplers import (EulerMaruyamaSampler, JumpSampler,
                               MeanODESampler, MultistepSampler,
                               PosteriorSampler)
from irsde_mm.sde import (GOUB, IRSDE, CleanOutput, NoiseOutput, Prediction,
                          UniDB)

PUBLISHED = dict(max_sigma=30 / 255)


@pytest.fixture
def unidb(precision, golden):
    """Published values for 1 / gamma = 0.01."""
    g = floats(golden('unidb_cosine_T100_lam30_ginv1e-2'))
    return g, UniDB(**PUBLISHED, gamma=100)


def net(mu, T=100):
    return lambda x, t: mu + 0.5 * torch.tanh(2 * (x - mu)) + 0.05 * t / T


def test_tables(unidb):
    g, sde = unidb
    t = torch.arange(101)
    for ours, name in zip(sde.coefficients(t), ('a', 'b', 'c_exact')):
        agree(ours, g[name])
    agree(sde.retention(t[1:], t[:-1]), g['A'])


def test_published_spread_is_not_consistent(unidb):
    """With it, one-step variances near T are negative; with ours, not."""
    g, sde = unidb
    variance = g['c'][1:]**2 - (g['A'] * g['c'][:-1])**2
    assert set(g['negative_var_t'].tolist()) == set(
        (1 + (variance < -1e-6).nonzero().flatten()).tolist())
    t = torch.arange(1, 101)
    c, before = (sde.coefficients(s)[2].flatten() for s in (t, t - 1))
    assert (c**2 > (g['A'] * before)**2).all()


def with_score(sde, x0, mu, score, t):
    """Return the prediction with a given score."""
    return Prediction(x0, -score * sde.coefficients(t)[2], mu)


def test_steps(unidb):
    g, sde = unidb
    x0, mu = g['x0'], g['mu']
    for i, t in enumerate(g['t'].tolist()):
        xt = g['xt'][i]
        agree(sde.marginal(x0, mu, t)[0], g['mean'][i])
        agree(xt + sde.drift(xt, mu, t) * sde.dt, g['forward_step_mean'][i])
        prediction = with_score(sde, x0, mu, g['score'][i], t)
        agree(EulerMaruyamaSampler().step(sde, xt, prediction, t, t - 1),
              g['sde_mean'][i])


@pytest.mark.parametrize('sampler, name', [
    (EulerMaruyamaSampler(), 'traj_reverse_sde'),
    (MeanODESampler(), 'traj_reverse_mean_ode')])
def test_runs(unidb, sampler, name):
    """With the score of the published spread, which is 0 at T."""
    g, sde = unidb
    mu, states = g['mu'], {100: g['mu']}

    def denoiser(x, t):
        clean, c = net(mu)(x, t), g['c'][t]
        score = -(x - g['b'][t] * mu - g['a'][t] * clean) / c**2 if c \
            else torch.zeros_like(x)
        return with_score(sde, clean, mu, score, t)

    sampler.sample(sde, denoiser, mu, mu, 100, draws=g['traj_z'],
                   callback=lambda s, x: states.update({s: x}))
    for t, state in zip(g['traj_t'].tolist(), g[name], strict=True):
        agree(states[t], state, 1e-8, run=True)


@pytest.mark.parametrize('k', [5, 10, 20])
def test_unidbpp(precision, golden, k):
    """UniDB++: its first-order data solver is the eta = 1 jump, its corrected
    second-order one is MultistepSampler.

    The published spread is that of GOUB, to which ours is equal up to 1e-5 at
    this gamma. There is no second order in the first two steps and the last:
    the solver starts at the second time.
    """
    g = floats(golden('unidbpp_cosine_T100_lam30_gamma1e7'))
    mu, tol = g['mu'], 1e-5

    for sde in (UniDB(**PUBLISHED), GOUB(**PUBLISHED)):
        def denoiser(x, t):
            x0 = mu if t == 100 else net(mu)(x, t)
            return CleanOutput().decode(sde, x0, x, mu, t)

        for name, z in (('sde', g['z']), ('mean_ode', 0 * g['z'])):
            end = JumpSampler(k).sample(sde, denoiser, mu, mu, 100, draws=z)
            agree(end, g[f'data1_{name}_K{k}'], tol, run=True)
            first, *z = z[1:2 * k:2]
            t = 100 - 100 // k
            solver = MultistepSampler(k - 1, variant='sde', grid='uniform')
            end = solver.sample(sde, denoiser, sde.perturb(mu, mu, t, first),
                                mu, t, draws=z)
            agree(end, g[f'fixed_data2_{name}_K{k}'], tol, run=True)
            assert (end - g[f'data1_mean_ode_K{k}']).abs().max() > 1e-3


@pytest.mark.parametrize('gamma, other', [(math.inf, GOUB), (1e-9, IRSDE)])
def test_limits(images, gamma, other):
    """An infinite gamma gives GOUB, a vanishing one IR-SDE."""
    x0, mu, noise = images
    sde, other = UniDB(0.3, gamma=gamma).double(), other(0.3).double()
    t = torch.cat((torch.arange(101), torch.tensor([0.5, 99.25])))
    for ours, theirs in zip(sde.coefficients(t), other.coefficients(t)):
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-7)
    ends = [sampler.sample(process, lambda x, t: torch.tanh(x - mu), noise,
                           mu, 100, torch.Generator().manual_seed(0))
            for process in (sde, other)
            for sampler in (EulerMaruyamaSampler(), PosteriorSampler(7))]
    for ours, theirs in zip(ends[:2], ends[2:]):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    assert sde.signal_at_end == other.signal_at_end


@pytest.mark.parametrize('cls', [GOUB, UniDB])
@pytest.mark.parametrize('num_steps', [1, 50, 250])
def test_any_number_of_steps(cls, num_steps, images):
    """The published implementations return NaN except for T = 100."""
    x0, mu, _ = images
    sde = cls(30 / 255, num_steps=num_steps).double()
    a, b, c = (x.flatten() for x in sde.coefficients(
        torch.arange(num_steps + 1)))
    assert (a.diff() < 0).all() and (c >= 0).all()
    torch.testing.assert_close(a + b, torch.ones_like(a))
    assert a[-1] < 1e-7 and c[-1] < 1e-3

    def denoiser(x, t):
        return CleanOutput().decode(sde, x0, x, mu, t)

    for sampler in (PosteriorSampler(), EulerMaruyamaSampler()):
        xt, t = sde.start(mu, torch.Generator().manual_seed(0))
        end = sampler.sample(sde, denoiser, xt, mu, t)
        euler = sampler.needs_euler_form
        assert (end - x0).abs().max() < (2 / num_steps if euler else 1e-6)


@pytest.mark.parametrize('gamma', [1e7, 5.])
def test_start(gamma):
    """The spread at T is c_T."""
    sde = UniDB(0.3, gamma=gamma)
    mu = torch.rand(1, 3, 64, 64)
    xt, t = sde.start(mu, torch.Generator().manual_seed(0))
    c = float(sde.coefficients(100)[2])
    assert t == 100 and abs(float((xt - mu).std()) / c - 1) < 0.02


def test_published_gamma_determines_nothing_at_the_end(images):
    """a_T = 4e-9 at lam = 0.3: neither x0 nor a stable Euler step."""
    x0, mu, noise = images
    sde = UniDB(0.3).double()
    xt = sde.perturb(x0, mu, 100, noise)
    prediction = NoiseOutput().decode(sde, 0.9 * noise, xt, mu, 100)
    assert torch.equal(prediction.x0, mu)
    for sampler in (EulerMaruyamaSampler(), PosteriorSampler()):
        step = sampler.step(sde, xt, prediction, 100, 99)
        assert (step - mu).abs().max() < 0.01
    t = torch.tensor([99, 100])
    exact = sde.predict_x0(sde.perturb(x0, mu, t, noise), mu, noise, t)
    torch.testing.assert_close(exact, torch.stack((x0[0], mu[1])))


@pytest.mark.parametrize('gamma', [0, -1., float('nan')])
def test_bad_gamma(gamma):
    with pytest.raises(ValueError, match='gamma must be positive'):
        UniDB(0.3, gamma=gamma)


@pytest.mark.parametrize('cls', [GOUB, UniDB])
def test_no_start_noise(cls):
    with pytest.raises(ValueError, match=f'{cls.__name__} starts in .*sigma'):
        cls(0.3).start(torch.zeros(1, 3, 8, 8), sigma=0.1)
