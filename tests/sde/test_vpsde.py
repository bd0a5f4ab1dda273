"""VPSDE: golden values of SR3 to 1e-6, noise levels, bad arguments."""
import pytest
import torch
from conftest import predict
from irsde_mm.inference.presets import check_fit
from irsde_mm.models.losses import NoiseMatchingLoss
from irsde_mm.samplers import (DiffusersSampler, EulerMaruyamaSampler,
                               JumpSampler, MultistepSampler, PosteriorSampler)
from irsde_mm.sde import VPSDE, CleanOutput, NoiseOutput
from irsde_mm.sde.schedules import BETAS

#: Golden name: (schedule, num_steps, beta_start, beta_end)
GOLDEN = dict(
    linear_T2000=('linear', 2000, 1e-6, 1e-2),
    warmup10_T50=('warmup10', 50, 1e-4, 0.2),
    warmup50_T50=('warmup50', 50, 1e-4, 0.2),
    const_T50=('constant', 50, 1e-4, 0.1), jsd_T50=('jsd', 50, 1e-4, 0.2),
    quad_T50=('quadratic', 50, 1e-4, 0.2),
    cosine_T50=('cosine', 50, 1e-4, 0.2))
CLAMP = (-1, 1)


@pytest.fixture
def float64():
    """Compute the tables in float64: they take torch's default dtype."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def agree(ours, golden):
    torch.testing.assert_close(ours, golden, rtol=1e-6, atol=1e-12)


def process(name):
    schedule, *rest = GOLDEN[name]
    return VPSDE(rest[0], schedule, *rest[1:])


def linear40():
    return VPSDE(40, 'linear', 1e-4, 0.2)


def time_at(sde, level):
    """Return the time (B,) of a level, linear between whole times."""
    levels = torch.exp(-sde.theta_bar.double())
    level = torch.as_tensor(level, dtype=torch.float64).reshape(-1)
    step = torch.searchsorted(-levels, -level).clamp(1, sde.num_steps)
    before, after = levels[step - 1], levels[step]
    time = step - 1 + (before - level) / (before - after)
    return time.clamp_max(sde.num_steps)


@pytest.mark.parametrize('name', GOLDEN)
def test_golden_schedules(golden, float64, name):
    g, sde = golden('sr3_schedules'), process(name)
    schedule, T, *ends = GOLDEN[name]
    agree(BETAS[schedule](T, *ends), g[f'{name}_betas'])
    times = torch.arange(T + 1)
    a, b, c = (x.flatten() for x in sde.coefficients(times))
    agree(a, g[f'{name}_level'])
    agree(c, (1 - g[f'{name}_level']**2).sqrt())
    assert not b.any()
    one = torch.ones(T, 1, 1, 1)
    agree(sde.posterior(one, one, None, times[1:])[1].flatten()**2,
          g[f'{name}_post_var'])


@pytest.mark.parametrize('name', GOLDEN)
def test_float32_tables_keep_the_small_noise(golden, name):
    """c is exact in float32 even where 1 - a^2 would round to 0."""
    level = golden('sr3_schedules')[f'{name}_level']
    c = process(name).coefficients(torch.arange(len(level)))[2].flatten()
    torch.testing.assert_close(c.double(), (1 - level**2).sqrt(), rtol=2e-6,
                               atol=0)


def test_every_schedule_has_golden_values():
    assert {schedule for schedule, *_ in GOLDEN.values()} == set(BETAS)


def test_golden_tables(golden, float64):
    g, sde = golden('sr3_linear_T40'), linear40()
    t = torch.arange(1, 41)
    a, _, c = (x.flatten() for x in sde.coefficients(t))
    agree(a, g['sqrt_alphas_cumprod'])
    agree(c, g['sqrt_one_minus_alphas_cumprod'])
    agree(sde.coefficients(t - 1)[0].flatten()**2, g['alphas_cumprod_prev'])
    agree(sde.network_time(torch.arange(41)).flatten(),
          g['sqrt_alphas_cumprod_prev'])
    x, zero = torch.ones(40, 1, 1, 1), torch.zeros(40, 1, 1, 1)
    agree(sde.posterior(zero, x, None, t)[0].flatten(),
          g['posterior_mean_coef1'])
    mean, std = sde.posterior(x, zero, None, t)
    agree(mean.flatten(), g['posterior_mean_coef2'])
    agree(std.flatten()**2, g['posterior_variance'])
    agree((std.flatten()**2).clamp_min(1e-20).log(),
          g['posterior_log_variance_clipped'])


def test_golden_levels_between_the_steps(golden, float64):
    """From fractional time to level and back."""
    g, sde = golden('sr3_linear_T40'), linear40()
    for t, share, level, xt in zip(g['q_t'], g['q_frac'], g['q_level'],
                                   g['q_xt']):
        time = float(t - 1 + share)
        agree(sde.network_time(time), level)
        agree(time_at(sde, level)[0], torch.tensor(time))
        # the published state is made with the level in float32
        time = float(time_at(sde, level.float()))
        agree(sde.perturb(g['x0'], None, time, g['noise']), xt)


def test_golden_loss(golden, float64):
    """Each image has its own level, which the network gets as time."""
    g, sde = golden('sr3_linear_T40'), linear40()
    t = time_at(sde, g['loss_level'])
    assert (t.ceil() == g['loss_t']).all()
    xt = sde.perturb(g['x0'], None, t, g['noise'])
    agree(xt, g['loss_xt'])
    pred = 0.7 * torch.tanh(xt - g['cond']) + 0.01 * sde.network_time(t)
    agree(pred, g['loss_pred'])
    loss = NoiseMatchingLoss()(
        sde, predict(sde, pred, xt, g['cond'], t), output=pred,
        target=g['noise'], xt=xt, x0=g['x0'], mu=g['cond'], t=t,
        noise=g['noise'])
    agree(loss, g['loss_l1_mean'])
    agree(loss * xt.numel(), g['loss_l1_sum'])


def test_golden_steps(golden, float64):
    g, sde = golden('sr3_linear_T40'), linear40()
    noise, step = g['step_noise_pred'], PosteriorSampler().step
    for i, t in enumerate(g['step_t'].tolist()):
        xt = g['step_x'][i]
        x0 = sde.predict_x0(xt, None, noise, t)
        agree(x0, g['step_x0_hat'][i])
        agree(step(sde, xt, predict(sde, noise, xt, None, t), t, t - 1),
              g['step_mean'][i])
        mean, std = sde.posterior(xt, x0.clamp(*CLAMP), None, t)
        agree(mean, g['step_mean_clipped'][i])
        agree(std, g['step_std'][i])


@pytest.mark.parametrize('clamp, name', [(CLAMP, 'traj_clip'),
                                         (None, 'traj_noclip')])
def test_golden_runs(golden, float64, clamp, name):
    """Ancestral sampling with and without clipping of x0."""
    g, sde = golden('sr3_linear_T40'), linear40()
    cond, z = g['cond'], g['traj_z'].double()

    def network(x, t):
        level = sde.network_time(t)
        x0 = cond + 0.5 * torch.tanh(x - cond) + 0.05 * level
        return sde.predict_noise(x, cond, x0, t)

    states = {}
    PosteriorSampler(clamp=clamp).sample(
        sde, network, z[0], cond, 40, draws=[*z[1:40], torch.zeros_like(z[0])],
        callback=lambda s, x: states.update({s: x}))
    for t, golden_state in zip(g['traj_i'].tolist(), g[name]):
        agree(states.get(t, z[0]), golden_state)


def test_starts_from_pure_noise():
    sde, mu = VPSDE(), torch.full((4, 3, 64, 64), 5.)
    xt, t = sde.start(mu, torch.Generator().manual_seed(0))
    assert t == 2000 and xt.shape == mu.shape
    assert abs(float(xt.mean())) < 0.02 and abs(float(xt.std()) - 1) < 0.02


def test_images_are_between_minus_one_and_one():
    x = torch.tensor([0., 0.5, 1.])
    assert VPSDE().from_image(x).tolist() == [-1, 0, 1]
    assert torch.equal(VPSDE().to_image(VPSDE().from_image(x)), x)


@pytest.mark.parametrize('kwargs, words', [
    (dict(schedule='sine'), 'quadratic'), (dict(beta_start=0), 'beta_start'),
    (dict(beta_end=1.5), 'beta_end'), (dict(num_steps=0), 'num_steps'),
    (dict(schedule='constant', beta_end=1), 'smaller beta_end')])
def test_bad_arguments(kwargs, words):
    with pytest.raises(ValueError, match=words):
        VPSDE(**kwargs)


@pytest.mark.parametrize('sampler, words', [
    (PosteriorSampler(), r'clamp=\(-1, 1\)'), (JumpSampler(5), 'clamp='),
    (EulerMaruyamaSampler(), 'PosteriorSampler'),
    (MultistepSampler(), 'PosteriorSampler'),
    (DiffusersSampler(dict(type='DDIMScheduler')), 'PosteriorSampler')])
def test_an_end_without_signal_needs_a_clamp(sampler, words):
    with pytest.raises(ValueError, match=f'alpha_bar.= 0.*{words}'):
        check_fit(VPSDE(50, 'jsd'), NoiseOutput(), sampler)


def test_default_clamp_of_the_message():
    class Ends(VPSDE):
        published_clamp = None

    with pytest.raises(ValueError, match=r'clamp=\(0, 1\)'):
        check_fit(Ends(50, 'jsd'), NoiseOutput(), PosteriorSampler())
    check_fit(Ends(50, 'jsd'), CleanOutput(), PosteriorSampler())


@pytest.mark.parametrize('sampler', [
    PosteriorSampler(clamp=CLAMP), JumpSampler(10, clamp=CLAMP, eta=0.),
    *(MultistepSampler(10, clamp=CLAMP, grid='uniform', variant=variant)
      for variant in ('ode', 'sde'))])
def test_an_end_without_signal_with_a_clamp(sampler, images):
    x0, _, noise = images
    sde = VPSDE(50, 'jsd').double()
    x0 = sde.from_image(x0)
    end = sampler.sample(sde, lambda x, t: sde.predict_noise(x, None, x0, t),
                         noise, None, 50)
    torch.testing.assert_close(end, x0)
