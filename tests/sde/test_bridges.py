"""GOUB and RDDM against published values."""
import pytest
import torch
from conftest import agree, predict
from irsde_mm.samplers import (EulerMaruyamaSampler, JumpSampler,
                               MeanODESampler, PosteriorSampler,
                               ProbabilityFlowSampler)
from irsde_mm.sde import GOUB, RDDM, CleanOutput, ResidualNoiseOutput


@pytest.fixture(autouse=True)
def float64():
    """Compute the tables in float64: they take torch's default dtype."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def goub(golden):
    g = {key: value.double() if value.is_floating_point() else value
         for key, value in golden('goub_cosine_T100_lam30').items()}
    return g, GOUB(30 / 255)


def test_goub_tables(goub):
    g, sde = goub
    t = torch.arange(101)
    for ours, name in zip(sde.coefficients(t), 'abc'):
        agree(ours.flatten(), g[name])
    agree(sde.theta, g['thetas'])
    agree(sde.sigma, g['sigmas'])
    agree(sde.forward_std(t).flatten(), g['sigma_bars'])
    t, s = t[1:-1], t[:-2]
    agree(sde.retention(t, s).flatten(), g['step_A'])
    one, zero = torch.ones(99, 1, 1, 1), torch.zeros(99, 1, 1, 1)
    agree(sde.transition(zero, zero, one, s, t)[0].flatten(), g['step_B'])
    agree(sde.transition(one, one, one, s, t)[1].flatten(), g['step_std'],
          1e-7)
    agree(sde.posterior(one, one, one, t, s)[1].flatten(), g['post_std'],
          1e-7)


def test_goub_steps(goub):
    g, sde = goub
    x0, mu, noise, pred = (g[k] for k in ('x0', 'mu', 'noise', 'noise_pred'))
    for i, t in enumerate(g['t'].tolist()):
        xt = g['xt'][i]
        agree(sde.marginal(x0, mu, t)[0], g['mean'][i])
        agree(sde.perturb(x0, mu, t, noise), xt)
        agree(sde.score(pred, t), g['score'][i])
        agree(xt + sde.drift(xt, mu, t) * sde.dt, g['forward_step_mean'][i])
        prediction = predict(sde, pred, xt, mu, t)
        agree(prediction.x0, g['x0_from_noise'][i])
        agree(EulerMaruyamaSampler().step(sde, xt, prediction, t, t - 1),
              g['sde_mean'][i])
        agree(ProbabilityFlowSampler().step(sde, xt, prediction, t, t - 1),
              g['pf_ode_step'][i])
        optimum, std = sde.posterior(xt, x0, mu, t)
        agree(optimum, g['optimum'][i])
        agree(std, g['post_std_t'][i], 1e-7)
        agree(PosteriorSampler().step(sde, xt, prediction, t, t - 1),
              g['posterior_mean_pred'][i])
        mean = EulerMaruyamaSampler().step(sde, xt, prediction, t, t - 1)
        agree((mean - optimum).abs().mean(), g['ml_loss'][i])


def net(mu, T):
    return lambda x, t: mu + 0.5 * torch.tanh(2 * (x - mu)) + 0.05 * t / T


@pytest.mark.parametrize('sampler, name', [
    (EulerMaruyamaSampler(), 'traj_reverse_sde'),
    (MeanODESampler(), 'traj_reverse_mean_ode'),
    (MeanODESampler(), 'traj_reverse_mean_ode_noisenet')])
def test_goub_runs(goub, sampler, name):
    g, sde = goub
    mu, states = g['mu'], {100: g['mu']}

    def denoiser(x, t):
        if name.endswith('noisenet'):
            return 0.7 * torch.tanh(x - mu) + 0.01 * t / 100
        return CleanOutput().decode(sde, net(mu, 100)(x, t), x, mu, t)

    sampler.sample(sde, denoiser, mu, mu, 100, draws=g['traj_z'],
                   callback=lambda s, x: states.update({s: x}))
    for t, state in zip(g['traj_t'].tolist(), g[name], strict=True):
        agree(states[t], state, 1e-8)


@pytest.mark.parametrize('k', [5, 10, 20])
def test_goub_in_few_steps(golden, k):
    """The first step perturbs mu: nothing else is random at T."""
    g = {key: value.double() for key, value in golden(
        'goub_fewstep_cosine_T100_lam30').items()}
    sde, mu, output = GOUB(30 / 255), g['mu'], CleanOutput()

    def denoiser(x, t):
        x0 = mu if t == 100 else net(mu, 100)(x, t)
        return output.decode(sde, x0, x, mu, t)

    def run(eta, draws):
        return JumpSampler(k, eta=eta).sample(sde, denoiser, mu, mu, 100,
                                              draws=draws)

    z = g['z'][:k]
    agree(run(1., z), g[f'data1_sde_K{k}'], 1e-8)
    no_noise = torch.zeros_like(z)
    agree(run(1., no_noise), g[f'data1_mean_ode_K{k}'], 1e-8)
    agree(run(0., no_noise), g[f'pf_ode_data_K{k}'], 1e-8)
    draws = run(0., z), run(0., -z)
    assert (draws[0] - draws[1]).abs().max() > 1e-3, 'the start is random'


@pytest.fixture
def rddm(golden):
    g = {key: value.double() if value.is_floating_point() else value
         for key, value in golden('rddm_T20_sum0.01').items()}
    return g, RDDM()


def test_rddm_tables(rddm):
    g, sde = rddm
    for ours, name in zip(sde.coefficients(torch.arange(21)), 'abc'):
        agree(ours.flatten(), g[name])


def test_rddm_steps(rddm):
    g, sde = rddm
    output, x0, mu = ResidualNoiseOutput(), g['x0'], g['x_in']
    for i, t in enumerate((g['t'] + 1).tolist()):
        xt = g['xt'][i]
        agree(sde.perturb(x0, mu, t, g['noise']), xt)
        out = torch.cat((g['res_pred'], g['noise_pred']), 1)
        agree(output.decode(sde, out, xt, mu, t).x0,
              g['x0_from_res_noise'][i])
        agree(sde.posterior(xt, x0, mu, t)[0], g['post_mean'][i], 1e-7)


def test_rddm_starts_near_the_degraded_image(rddm):
    g, sde = rddm
    agree(g['x_in'] + 0.1 * g['z'][0], g['start'], 1e-6)
    xt, t = sde.start(g['x_in'], torch.Generator().manual_seed(0))
    assert t == 20 and abs(float((xt - g['x_in']).std()) - 0.1) < 0.01


@pytest.mark.parametrize('steps', [5, 7])
def test_rddm_runs(rddm, steps):
    """The published update with both heads equals JumpSampler's.

    Published eta is the square of ours. Residuals and the last state are
    clamped to [-1, 1].
    """
    g, sde = rddm
    mu = g['x_in']
    key = f'ddim_pred_res_noise_S{steps}_eta'
    etas = [name.removeprefix(key) for name in g if name.startswith(key)]
    assert etas
    for eta in etas:
        times = (g[f'ddim_times_S{steps}'] + 1).tolist()
        x = g['start']
        for i, (t, s) in enumerate(zip(times, times[1:])):
            residual = (0.5 * torch.tanh(mu - x) + 0.05 * (t - 1) / 20).clamp(
                -1, 1)
            noise = 0.7 * torch.tanh(x - mu) + 0.01 * (t - 1) / 20
            prediction = ResidualNoiseOutput().decode(
                sde, torch.cat((residual, noise), 1), x, mu, t)
            x = JumpSampler(eta=float(eta)**0.5).step(
                sde, x, prediction, t, s, g['z'][i + 1])
        end = g[f'{key}{eta}']
        agree(x.clamp(-1, 1), end[-1] if end.ndim == 5 else end)


@pytest.mark.parametrize('num_steps', [1, 2, 7, 1000])
def test_sums_of_rddm_close(num_steps):
    """At T nothing of x0 is left, and the variance is sum_scale."""
    a, b, c = RDDM(num_steps, sum_scale=0.3).double().coefficients(num_steps)
    assert a == 0 and b == 1
    assert abs(float(c)**2 - 0.3) < 1e-7


@pytest.mark.parametrize('cls, kwargs, words', [
    (RDDM, dict(sum_scale=0), 'sum_scale'), (RDDM, dict(num_steps=0), 'num'),
    (RDDM, dict(sum_scale=1.5), 'sum_scale must be in .0, 1'),
    (RDDM, dict(sum_scale=float('nan')), 'sum_scale'),
    (GOUB, dict(max_sigma=2), 'max_sigma')])
def test_bad_arguments(cls, kwargs, words):
    with pytest.raises(ValueError, match=words):
        cls(**kwargs)
