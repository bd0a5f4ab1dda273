"""Golden values and specifics of each process."""
import math

import pytest
import torch
from conftest import predict
from irsde_mm.samplers import EulerMaruyamaSampler, ProbabilityFlowSampler
from irsde_mm.sde import GOUB, IRSDE, DenoisingSDE, UniDB
from irsde_mm.sde.schedules import SCHEDULES


def agree(a, b):
    """Compare with the golden tolerance, 1e-5 + 1e-4 |value|."""
    torch.testing.assert_close(torch.as_tensor(a).double(), b, rtol=1e-4,
                               atol=1e-5)


@pytest.mark.parametrize('name, sde', [
    ('irsde_cosine_T100', IRSDE(10 / 255)),
    ('denoising_sde_T1000', DenoisingSDE(70 / 255, num_steps=1000)),
])
def test_golden_tables(golden, name, sde):
    g = golden(name)
    agree(sde.theta, g['thetas'])
    agree(sde.sigma, g['sigmas'])
    agree(sde.theta_bar, g['thetas_cumsum'] * g['dt'])
    agree(sde.std, g['sigma_bars'])
    agree(sde.dt, g['dt'])


def test_golden_irsde_steps(golden):
    g, sde = golden('irsde_cosine_T100'), IRSDE(10 / 255)
    x0, mu, noise, noise_pred = (
        g[k] for k in ('x0', 'mu', 'noise', 'noise_pred'))
    euler, flow = EulerMaruyamaSampler(), ProbabilityFlowSampler()
    for i, t in enumerate(g['t'].tolist()):
        xt = g['xt'][i]
        mean, std = sde.marginal(x0, mu, t)
        agree(mean, g['mean'][i])
        agree(std, g['std'][i])
        agree(sde.perturb(x0, mu, t, noise), xt)
        agree(sde.score(noise_pred, t), g['score'][i])
        prediction = predict(sde, noise_pred, xt, mu, t)
        agree(euler.step(sde, xt, prediction, t, t - 1), g['sde_mean'][i])
        agree(flow.step(sde, xt, prediction, t, t - 1), g['ode_step'][i])
        agree(sde.posterior(xt, x0, mu, t)[0], g['optimum'][i])
        x0_hat = sde.predict_x0(xt, mu, noise_pred, t)
        agree(x0_hat, g['x0_from_noise'][i])
        mean, std = sde.posterior(xt, x0_hat, mu, t)
        agree(mean, g['posterior_mean'][i])
        agree(std, g['posterior_std'][i])


def test_golden_denoising_steps(golden):
    g = golden('denoising_sde_T1000')
    sde = DenoisingSDE(70 / 255, num_steps=1000)
    euler, flow = EulerMaruyamaSampler(), ProbabilityFlowSampler()
    for i, t in enumerate(g['t'].tolist()):
        xt, noise_pred = g['xt'][i], g['noise_pred']
        agree(sde.perturb(g['x0'], None, t, g['noise']), xt)
        prediction = predict(sde, noise_pred, xt, None, t)
        agree(euler.step(sde, xt, prediction, t, t - 1), g['sde_mean'][i])
        agree(flow.step(sde, xt, prediction, t, t - 1), g['ode_step'][i])
        agree(sde.posterior(xt, g['x0'], None, t)[0], g['optimum'][i])
        agree(sde.predict_x0(xt, None, noise_pred, t), g['x0_from_noise'][i])
        agree(sde.diffusion(t)**2, g['weights'][i])
    for sigma, t in zip(g['optimal_t_sigma'], g['optimal_t']):
        assert sde.start_time(float(sigma) / 255) == int(t)


@pytest.mark.parametrize('sigma, t', [(0, 0), (15, 15), (25, 22), (50, 41),
                                      (70, 100)])
def test_denoising_starts_at_its_noise_level(sigma, t):
    sde = DenoisingSDE(70 / 255)
    photo = torch.rand(1, 3, 4, 4)
    xt, start = sde.start(photo, sigma=sigma / 255)
    assert start == t and torch.equal(xt, photo)
    if 0 < sigma < 70:  # the nearest level of the table
        levels = (sde.std - sigma / 255).abs()
        assert abs(int(levels.argmin()) - t) <= 1


def test_denoising_uses_sigma_of_the_constructor():
    assert DenoisingSDE(70 / 255, sigma=25 / 255).start(torch.zeros(1))[1] \
        == 22
    with pytest.raises(ValueError, match='noise level'):
        DenoisingSDE(70 / 255).start(torch.zeros(1))
    with pytest.raises(ValueError, match='71/255.*70/255'):
        DenoisingSDE(70 / 255).start_time(71 / 255)


@pytest.mark.parametrize('schedule', SCHEDULES)
@pytest.mark.parametrize('num_steps', [1, 7, 100])
def test_schedules(schedule, num_steps):
    sde = IRSDE(0.1, num_steps=num_steps, schedule=schedule, eps=0.005)
    assert sde.theta.shape == (num_steps + 1, )
    assert (sde.theta > 0).all() and sde.theta_bar[0] == 0
    assert math.isclose(float(sde.coefficients(num_steps)[0]), 0.005,
                        rel_tol=1e-5)
    # theta times step size adds up to theta_bar_T on any grid
    for grid in ([num_steps, 0], list(range(num_steps, -1, -1)),
                 [num_steps, num_steps / 2, num_steps / 3, 0]):
        total = sum(float(sde.lookup_ceil(sde.theta, t)
                          * sde.step_size(t, s))
                    for t, s in zip(grid, grid[1:]))
        assert math.isclose(total, float(sde.theta_bar[-1]), rel_tol=1e-5)
    assert math.isclose(float(sde.step_size(num_steps)), sde.dt,
                        rel_tol=1e-4)


@pytest.mark.parametrize('kwargs, words', [
    (dict(max_sigma=0), 'max_sigma'), (dict(max_sigma=10), '10 / 255'),
    (dict(max_sigma=float('nan')), 'max_sigma'),
    (dict(max_sigma=.1, num_steps=0), 'num_steps'),
    (dict(max_sigma=.1, num_steps=1.5), 'num_steps'),
    (dict(max_sigma=.1, eps=1), 'eps'),
    (dict(max_sigma=.1, schedule='sine'), 'cosine'),
])
def test_bad_arguments(kwargs, words):
    with pytest.raises(ValueError, match=words):
        IRSDE(**kwargs)


@pytest.mark.parametrize('cls', [IRSDE, DenoisingSDE, GOUB, UniDB])
@pytest.mark.parametrize('t', [1, 2, 30, 99, 45.5])
def test_debias_undoes_the_euler_objective(cls, t, images):
    """Debiasing the minimizer of the published objective gives the true
    noise."""
    x0, mu, noise = images
    sde = cls(0.3).double()
    xt = sde.perturb(x0, mu, t, noise)
    s = max(t - 1, 0)
    optimum = sde.posterior(xt, x0, mu, t, s)[0]

    def euler_mean(prediction):
        drift = sde.reverse_drift(xt, mu, sde.score(prediction, t), t)
        return xt - drift * sde.step_size(t, s)

    zero, one = (euler_mean(torch.full_like(noise, v)) for v in (0., 1.))
    trained = (optimum - zero) / (one - zero)
    if t >= 30:  # the bias vanishes toward the clean end
        assert (trained - noise).abs().max() > 1e-4
    torch.testing.assert_close(sde.debias(trained, xt, mu, t), noise,
                               rtol=1e-4, atol=1e-4)


def test_debias_factor_of_the_denoising_sde():
    """0.996 at t = 41 and 0.969 at t = 100 (MATH section 1)."""
    sde, one = DenoisingSDE(70 / 255), torch.ones(1)
    assert abs(1 / float(sde.debias(one, one, None, 41)) - 0.996) < 6e-4
    assert abs(1 / float(sde.debias(one, one, None, 100)) - 0.969) < 6e-4


def test_start_uses_one_generator_per_image():
    sde, mu = IRSDE(10 / 255), torch.rand(3, 3, 8, 8)
    xt, t = sde.start(
        mu, [torch.Generator().manual_seed(i) for i in (1, 2, 3)])
    alone, _ = sde.start(mu[1:2], [torch.Generator().manual_seed(2)])
    assert t == 100 and torch.equal(xt[1:2], alone)
    assert abs(float((xt - mu).std()) * 255 - 10) < 1
    with pytest.raises(ValueError, match='one per image'):
        sde.start(mu, [torch.Generator()])
