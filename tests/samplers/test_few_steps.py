"""Few-step solvers: identities, order of convergence, diffusers."""
import math

import pytest
import torch
from conftest import build_sde, predict
from irsde_mm.samplers import (DiffusersSampler, JumpSampler,
                               MultistepSampler, PosteriorSampler)
from irsde_mm.samplers.grids import GRIDS
from irsde_mm.sde import IRSDE, SDE, VPSDE, DenoisingSDE, OrnsteinUhlenbeckSDE
from irsde_mm.sde.log_snr import half_log_snr, time_of

DPM = 'DPMSolverMultistepScheduler'


class OnNodes(MultistepSampler):
    """A solver on a given time grid."""

    def __init__(self, nodes, **kwargs):
        super().__init__(len(nodes) - 1, **kwargs)
        self.nodes = nodes

    def grid(self, sde, t_start):
        return self.nodes


@pytest.mark.grid
@pytest.mark.parametrize('t, s', [(100, 80), (60.5, 13.25), (3, 1), (7, 0)])
def test_order_one_is_the_jump(noisy, sde: SDE, images, t, s):
    """ODE: eta = 0. SDE: eta = 1 if the retention is a_t / a_s."""
    if not sde.signal_at_end and t == 100:
        t = 99.5  # a_t = 0 has no log-SNR
    x0, mu, noise = images
    xt, z = sde.perturb(x0, mu, t, noise), torch.randn_like(x0)
    seen = predict(sde, torch.tanh(xt - mu), xt, mu, t)

    def step(variant, prediction):
        return MultistepSampler(10, order=1, variant=variant,
                                prediction=prediction).step(
            sde, xt, seen, t, s, z)

    flat = JumpSampler(eta=0.).step(sde, xt, seen, t, s, z)
    for form in ('data', 'noise'):
        torch.testing.assert_close(step('ode', form), flat, rtol=1e-5,
                                   atol=1e-5)
    a, before = sde.coefficients(t)[0], sde.coefficients(s)[0]
    if torch.isclose(sde.retention(t, s), a / before, rtol=1e-4):
        torch.testing.assert_close(
            step('sde', 'data'),
            JumpSampler(eta=1.).step(sde, xt, seen, t, s, z), rtol=1e-5,
            atol=1e-5)


@pytest.mark.grid
@pytest.mark.parametrize('options', [
    dict(), dict(use_karras_sigmas=True), dict(timestep_spacing='linspace')])
@pytest.mark.parametrize('variant', ['ode', 'sde'])
@pytest.mark.parametrize('order', [1, 2])
@pytest.mark.parametrize('n', [5, 10, 20])
@pytest.mark.parametrize('sde', [IRSDE, VPSDE], indirect=True)
def test_data_solvers_match_diffusers(images, options, variant, n,
                                               order, sde):
    x0, mu, noise = images
    xt, z = sde.perturb(x0, mu, 100, noise), torch.randn(n, *x0.shape)

    def net(x, t):
        return 0.3 * (noise + torch.tanh(5 * (x - mu))) + t / 1000

    theirs = DiffusersSampler(dict(
        type=DPM, solver_type='heun', solver_order=order,
        algorithm_type=dict(ode='dpmsolver++', sde='sde-dpmsolver++')[variant],
        **options), n)
    ours = OnNodes(theirs.grid(sde, 100), order=order, variant=variant)
    a, b = (sampler.sample(sde, net, xt, mu, 100, draws=list(z.double()))
            for sampler in (theirs, ours))
    # diffusers keeps noise levels in float32, and VPSDE divides the
    # prediction, which ignores the state here, by a_T = 0.005
    tol = 1e-5 if isinstance(sde, IRSDE) else 1e-4
    assert (a - b).abs().max() < tol * b.abs().max()
    other = OnNodes(ours.nodes, order=3 - order, variant=variant)
    c = other.sample(sde, net, xt, mu, 100, draws=list(z.double()))
    assert (c - b).abs().max() > 1e-3, 'the orders must differ'


def gaussian_errors(sde, sampler, n):
    """Return errors of mean and standard deviation for x0 ~ N(m, r^2), at
    the last node before 0.

    A step is affine, so the columns of one image hold the whole map: first
    the constant part, then that of xt, then one column per draw.
    """
    m, r, mu = 0.7, 0.2, torch.full((1, 1, 1, n + 2), 0.3).double()

    def moments(t):
        a, b, c = map(float, sde.coefficients(t))
        return a * m + b * 0.3, math.hypot(a * r, c), c

    def net(x, t):
        mean, std, c = moments(t)
        return c * (x - mean) / std**2

    mean, std, _ = moments(sde.num_steps)
    xt = torch.full_like(mu, mean)
    xt[..., 1] += std
    draws = torch.zeros(n, *mu.shape).double()
    for i in range(n):
        draws[i, ..., 2 + i] = 1
    states = []
    sampler.sample(sde, net, xt, mu, sde.num_steps, draws=draws,
                   callback=lambda s, xs: states.append((s, xs.flatten())))
    s, columns = states[-2]
    mean, std, _ = moments(s)
    return (abs(float(columns[0]) - mean),
            abs(float((columns[1:] - columns[0]).norm()) - std))


@pytest.mark.grid
@pytest.mark.parametrize('grid', ['log_snr', 'karras'])
@pytest.mark.parametrize('variant', ['ode', 'sde'])
@pytest.mark.parametrize('prediction', ['data', 'noise'])
@pytest.mark.parametrize('order', [1, 2])
def test_order_of_convergence(sde: SDE, order, variant, prediction, grid):
    """Errors fall with slope 1 or 2 from 40 to 160 steps.

    For IR-SDE the first and second order terms cancel in one form, which
    reaches its slope, or a better one, only from 320 to 1280 steps.
    """
    if not sde.signal_at_end:
        pytest.skip('no log-SNR at T')
    cancels = (order, variant, prediction) == (1, 'sde', 'noise')
    few, many = (gaussian_errors(
        sde, MultistepSampler(n, order=order, variant=variant,
                              prediction=prediction, grid=grid), n)
        for n in ((320, 1280) if cancels else (40, 160)))
    for name, a, b in zip(('mean', 'std'), few, many):
        if a < 1e-6:  # exact up to the float32 of the tables
            continue
        slope = math.log(a / b, 4)
        assert slope > order - 0.3, name
        assert slope < order + 0.3 or cancels, name


@pytest.mark.grid
@pytest.mark.parametrize('grid', GRIDS)
@pytest.mark.parametrize('n, t_start', [
    (1, 100), (2, 100), (7, 100), (100, 100), (150, 100), (5, 22), (9, 3)])
def test_grids(noisy, sde: SDE, grid, n, t_start):
    if t_start == 100 and n > 1 and grid != 'uniform' and (
            not sde.signal_at_end):
        with pytest.raises(ValueError, match="grid='uniform'"):
            GRIDS[grid](sde, t_start, n)
        return
    times = GRIDS[grid](sde, t_start, n)
    assert len(times) == n + 1
    assert times[0] == t_start and times[-1] == 0
    assert all(0 <= s < t <= 100 for t, s in zip(times, times[1:]))
    if isinstance(sde, OrnsteinUhlenbeckSDE):
        total = sum(float(sde.step_size(t, s) * sde.lookup_ceil(sde.theta, t))
                    for t, s in zip(times, times[1:]))
        torch.testing.assert_close(total, float(sde.theta_bar[t_start]))
    if n < 3:
        return
    inner = torch.tensor(times[:-1], dtype=torch.float64)
    level = half_log_snr(sde, inner)
    if not sde.signal_at_end and t_start == 100:
        return
    spaced = dict(uniform=inner, log_snr=level,
                  karras=(-level / 7).exp())[grid].diff()
    torch.testing.assert_close(spaced, spaced[:1].expand_as(spaced),
                               rtol=1e-4, atol=1e-6)


def test_time_of_inverts_the_log_snr(noisy, sde: SDE):
    t = torch.cat([torch.rand(50, dtype=torch.float64) * 100,
                   torch.tensor([1., 50., 100.])])
    t = t if sde.signal_at_end else t.clamp_max(99)
    torch.testing.assert_close(time_of(sde, half_log_snr(sde, t)), t,
                               rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('sde', [IRSDE, VPSDE], indirect=True)
def test_ddim_on_the_residual_is_the_jump(images, sde):
    x0, mu, noise = images
    a, b = (sampler.sample(sde, lambda x, t: torch.tanh(x - mu), noise, mu,
                           100) for sampler in (
        DiffusersSampler(dict(type='DDIMScheduler'), 20),
        JumpSampler(20, eta=0.)))
    torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_diffusers_network_times(images):
    """The network gets the exact times of the scheduler's noise levels,
    which the scheduler itself rounds."""
    x0, mu, noise = images
    sde, seen = build_sde(IRSDE), []
    sampler = DiffusersSampler(dict(type=DPM, use_karras_sigmas=True), 8)
    sampler.sample(sde, lambda x, t: seen.append(t) or noise, noise, mu, 100)
    torch.testing.assert_close(
        torch.tensor(seen), torch.tensor(GRIDS['karras'](sde, 100, 8)[:-1]),
        rtol=1e-3, atol=1e-3)
    assert any(t != int(t) for t in seen)


def test_multistep_of_a_denoising_process_in_few_steps(images):
    """Started at t*, without a condition."""
    x0, _, noise = images
    sde = build_sde(DenoisingSDE)
    xt = sde.perturb(x0, None, 30, noise)
    out = MultistepSampler(4).sample(
        sde, lambda x, t: sde.predict_noise(x, None, x0, t), xt, None, 30)
    torch.testing.assert_close(out, x0)


def test_at_most():
    assert MultistepSampler(10).at_most(1).order == 1
    assert PosteriorSampler().at_most(7).num_steps == 7
    assert PosteriorSampler(5).at_most(7).num_steps == 5


@pytest.mark.parametrize('args, words', [
    (dict(scheduler=dict(type='Nope')), 'not known.*UniPC'),
    (dict(scheduler=dict(type='EulerDiscreteScheduler')), 'residual.*UniPC'),
    (dict(scheduler={}), 'None is not known'),
    (dict(scheduler=dict(type=DPM, colour='red')), 'colour'),
    (dict(scheduler=dict(type=DPM, algorithm_type='x')), 'x'),
    (dict(scheduler=dict(type=DPM, prediction_type='epsilon')), 'remove')])
def test_bad_schedulers(args, words):
    with pytest.raises(ValueError, match=words):
        DiffusersSampler(**args)


@pytest.mark.parametrize('sde_class, scheduler, n, words', [
    (DenoisingSDE, dict(), 5, 'DenoisingSDE is not supp.*MultistepSampler'),
    (IRSDE, dict(timestep_spacing='leading'), 5, "starts at.*'trailing'"),
    (IRSDE, dict(timestep_spacing='linspace'), 100, 'cannot place 100'),
    (IRSDE, dict(solver_order=3), 2, 'solver_order=3')])
def test_schedulers_that_do_not_fit_the_process(sde_class, scheduler, n,
                                                words):
    sampler = DiffusersSampler(dict(type=DPM, **scheduler), n)
    with pytest.raises(ValueError, match=words):
        sampler.sample(build_sde(sde_class), None, torch.zeros(1, 3, 8, 8),
                       torch.zeros(1, 3, 8, 8), 100)


@pytest.mark.parametrize('options, words', [
    (dict(order=3), 'order'), (dict(variant='x'), 'variant'),
    (dict(prediction='x0'), 'prediction'), (dict(grid='lin'), 'log_snr'),
    (dict(num_steps=1), 'order=1')])
def test_bad_options(options, words):
    with pytest.raises(ValueError, match=words):
        MultistepSampler(**options)
