"""ResShift against published values, its schedule, its input scale."""
import pytest
import torch
from conftest import agree, floats
from irsde_mm.samplers import PosteriorSampler
from irsde_mm.sde import (CleanOutput, NoiseOutput, ResidualOutput, ResShift)


@pytest.fixture
def resshift(precision, golden):
    return floats(golden('resshift_T15_kappa2')), ResShift()


def test_tables(resshift):
    g, sde = resshift
    t = torch.arange(1, 16)
    a, b, c = sde.coefficients(t)
    agree(b, g['etas'])
    agree(sde.coefficients(t - 1)[1], g['etas_prev'])
    agree(a, 1 - g['etas'])
    agree(c, 2 * g['sqrt_etas'])
    zero, one = torch.zeros(15, 1, 1, 1), torch.ones(15, 1, 1, 1)
    mean, std = sde.posterior(one, zero, zero, t)
    agree(std**2, g['posterior_variance'])
    agree(mean, g['posterior_mean_coef1'])
    agree(sde.posterior(zero, one, zero, t)[0], g['posterior_mean_coef2'])
    # the mean contains mu only through the state
    assert sde.posterior(zero, zero, one, t)[0].abs().max() < 1e-6


def test_steps(resshift):
    g, sde = resshift
    x0, mu = g['x0'], g['y']
    for i, t in enumerate((g['t'] + 1).tolist()):
        xt = g['xt'][i]
        agree(sde.perturb(x0, mu, t, g['noise']), xt)
        agree(sde.predict_x0(xt, mu, g['noise_pred'], t),
              g['x0_from_noise'][i])
        agree(sde.posterior(xt, x0, mu, t)[0], g['post_mean'][i])
        agree(xt * sde.input_scale(t), g['scaled_input_pixel'][i])
        agree(xt * ResShift(latent=True).input_scale(t),
              g['scaled_input'][i])


@pytest.mark.parametrize('name, output, net', [
    ('xstart', CleanOutput(),
     lambda s, y, i: y + 0.5 * torch.tanh(s - y) + 0.05 * i / 15),
    ('residual', ResidualOutput(),
     lambda s, y, i: 0.5 * torch.tanh(y - s) + 0.05 * i / 15),
    ('epsilon', NoiseOutput(),
     lambda s, y, i: 0.7 * torch.tanh(s - y) + 0.01 * i / 15)])
@pytest.mark.parametrize('clamp', [None, (-1, 1)])
def test_runs(resshift, name, output, net, clamp):
    """The published network sees the state in the scale for latents."""
    g, mu, sde = resshift[0], resshift[0]['y'], ResShift(latent=True)
    start = mu + sde.coefficients(15)[2] * g['z'][0]
    agree(start, g['start'])
    states = []

    def denoiser(x, t):
        out = net(sde.input_scale(t) * x, mu, t - 1)
        return output.decode(sde, out, x, mu, t)

    PosteriorSampler(clamp=clamp).sample(
        sde, denoiser, start, mu, 15, draws=g['z'][1:],
        callback=lambda s, x: states.append(x))
    if clamp:
        agree(states[-1], g[f'end_clip_{name}'], 1e-8, run=True)
    else:
        agree(torch.stack(states), g[f'traj_{name}'], 1e-8, run=True)


def test_start():
    mu = torch.rand(1, 3, 64, 64)
    xt, t = ResShift().start(mu, torch.Generator().manual_seed(0))
    assert t == 15 and abs(float((xt - mu).std()) / (2 * 0.99) - 1) < 0.02


@pytest.mark.parametrize('num_steps', [1, 2, 15, 100])
def test_schedule(num_steps):
    sde = ResShift(num_steps, etas_end=1., power=1.)
    a, b, c = (x.flatten() for x in sde.coefficients(
        torch.arange(num_steps + 1)))
    assert (b.diff() > 0).all() and a[-1] == 0 and c[-1] == 2
    assert not sde.signal_at_end and ResShift().signal_at_end
    if num_steps > 1:
        assert abs(float(c[1]) - 0.04) < 1e-6
        ratio = (b[2:] / b[1:-1]).log()
        torch.testing.assert_close(ratio, ratio[:1].expand_as(ratio))


@pytest.mark.parametrize('kwargs, words', [
    (dict(kappa=0), 'kappa must be positive'),
    (dict(kappa=-1), 'kappa must be positive'),
    (dict(kappa=float('nan')), 'kappa'), (dict(power=0), 'power'),
    (dict(min_noise=0), 'min_noise'), (dict(etas_end=1.1), 'etas_end'),
    (dict(etas_end=0), 'etas_end'),
    (dict(min_noise=3.), 'does not rise.*smaller min_noise')])
def test_bad_arguments(kwargs, words):
    with pytest.raises(ValueError, match=words):
        ResShift(**kwargs)
