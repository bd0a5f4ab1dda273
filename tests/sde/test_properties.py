"""MATH section 6: identities that hold for every registered process."""
import pytest
import torch
from conftest import build_sde
from irsde_mm.sde import SDE, EulerForm

TIMES = [(2, 1), (50, 49), (50, 3), (100, 99), (100, 1), (60.5, 20.25)]


def close(a, b, tol=1e-6):
    torch.testing.assert_close(a, b, rtol=tol, atol=tol)


def test_starts_at_the_clean_image(sde: SDE, images):
    x0, mu, noise = images
    a, b, c = sde.coefficients(0)
    assert (float(a), float(b), float(c)) == (1, 0, 0)
    close(sde.perturb(x0, mu, 0, noise), x0)


@pytest.mark.grid
@pytest.mark.parametrize('t', [1, 37, 100, 0.5, 12.75])
def test_numbers_and_tensors_agree(sde: SDE, t):
    one = sde.coefficients(t)
    many = sde.coefficients(torch.tensor([t, t]))
    for x, y in zip(one, many):
        assert x.shape == () and y.shape == (2, 1, 1, 1)
        close(x.expand(2), y.flatten())


def test_fractional_times_are_continuous(sde: SDE):
    for t in (0, 1, 50, 99):
        at = torch.stack(sde.coefficients(t))
        close(torch.stack(sde.coefficients(t + 1e-9)), at, 1e-4)
        close(torch.stack(sde.coefficients(float(t))), at)


@pytest.mark.parametrize('t', [-1, 101, 100.5])
def test_times_outside_are_refused(sde: SDE, t):
    with pytest.raises(ValueError, match='0 to 100'):
        sde.coefficients(t)


@pytest.mark.grid
@pytest.mark.parametrize('t, s', TIMES)
def test_transitions_compose(sde: SDE, images, t, s):
    """r -> s -> t has the mean and standard deviation of r -> t."""
    x0, mu, xr = images
    r = s / 2
    mean_s, std_s = sde.transition(xr, x0, mu, r, s)
    mean, std_t = sde.transition(mean_s, x0, mu, s, t)
    direct, std = sde.transition(xr, x0, mu, r, t)
    close(mean, direct)
    close((sde.retention(t, s) * std_s)**2 + std_t**2, std**2)
    close(sde.retention(t, s) * sde.retention(s, r), sde.retention(t, r))


@pytest.mark.grid
@pytest.mark.parametrize('t, s', TIMES)
def test_transition_from_marginal_is_marginal(sde: SDE, images, t, s):
    x0, mu, _ = images
    mean_s, std_s = sde.marginal(x0, mu, s)
    mean_t, std_t = sde.marginal(x0, mu, t)
    mean, std = sde.transition(mean_s, x0, mu, s, t)
    close(mean, mean_t)
    close((sde.retention(t, s) * std_s)**2 + std**2, std_t**2)


@pytest.mark.grid
@pytest.mark.parametrize('t, s', TIMES)
def test_posterior_marginalises(sde: SDE, images, t, s):
    """Averaged over x_t, the posterior is the marginal at s."""
    x0, mu, _ = images
    mean_t, std_t = sde.marginal(x0, mu, t)
    mean_s, std_s = sde.marginal(x0, mu, s)
    mean, std = sde.posterior(mean_t, x0, mu, t, s)
    close(mean, mean_s)
    weight = sde.posterior(mean_t + 1, x0, mu, t, s)[0] - mean
    close(weight**2 * std_t**2 + std**2, (std_s**2).expand_as(weight))


@pytest.mark.grid
@pytest.mark.parametrize('t, s', TIMES)
def test_posterior_is_bayes(noisy, sde: SDE, images, t, s):
    """p(xs|xt) is proportional to p(xt|xs) p(xs): same gradient in xs."""
    if t == 100 and not sde.noise_at_end:
        t = 99  # the end of a bridge has no density
        s = min(s, 98)
    x0, mu, xt = images
    xs = torch.rand_like(x0).requires_grad_()

    def log_density(x, mean, std):
        return -((x - mean)**2 / (2 * std**2)).sum()

    joint = (log_density(xt, *sde.transition(xs, x0, mu, s, t))
             + log_density(xs, *sde.marginal(x0, mu, s)))
    posterior = log_density(xs, *sde.posterior(xt, x0, mu, t, s))
    a, = torch.autograd.grad(joint, xs)
    b, = torch.autograd.grad(posterior, xs)
    torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_posterior_defaults_to_the_previous_step(sde: SDE, images):
    x0, mu, xt = images
    for t in (torch.tensor([5, 90]), 7):
        close(sde.posterior(xt, x0, mu, t)[0],
              sde.posterior(xt, x0, mu, t, t - 1)[0])
    for t in (torch.tensor([0.3, 1.]), 0.3):  # but not below 0
        close(sde.posterior(xt, x0, mu, t)[0], x0)
        if isinstance(sde, EulerForm):
            assert (sde.step_size(t) > 0).all()


def test_posterior_ends_at_the_clean_image(sde: SDE, images):
    x0, mu, xt = images
    mean, std = sde.posterior(xt, x0, mu, 30, 0)
    close(mean, x0)
    assert float(std) == 0


@pytest.mark.grid
@pytest.mark.parametrize('t', [1, 50, 100, 33.3])
def test_predictions_invert_perturb(sde: SDE, images, t):
    x0, mu, noise = images
    xt = sde.perturb(x0, mu, t, noise)
    a, _, c = map(float, sde.coefficients(t))
    close(sde.predict_x0(xt, mu, noise, t), x0 if a else mu)
    close(sde.predict_noise(xt, mu, x0, t), noise if c else 0 * noise)


def test_signal_and_noise_at_the_end(sde: SDE):
    a, _, c = map(float, sde.coefficients(sde.num_steps))
    assert sde.signal_at_end == (a > 0) and sde.noise_at_end == (c > 0)


def test_states_without_noise(sde: SDE, images):
    """At c_t = 0 the posterior is the marginal, and score and noise are 0."""
    x0, mu, noise = images
    t = 0 if sde.noise_at_end else 100
    assert not sde.score(noise, t).any()
    assert not sde.predict_noise(x0, mu, x0, t).any()
    if t:
        mean, std = sde.posterior(mu, x0, mu, t, 40)
        close(mean, sde.marginal(x0, mu, 40)[0])
        close(std, sde.marginal(x0, mu, 40)[1])
        close(sde.jump(x0, 0 * noise, mu, t, 40, 1.0, noise),
              sde.perturb(x0, mu, 40, noise))


def test_score_is_the_gradient_of_the_log_density(noisy, sde: SDE, images):
    x0, mu, noise = images
    for t in (1, 40, 100 if sde.noise_at_end else 99):
        xt = sde.perturb(x0, mu, t, noise).requires_grad_()
        mean, std = sde.marginal(x0, mu, t)
        log_p = torch.distributions.Normal(mean, std).log_prob(xt).sum()
        gradient, = torch.autograd.grad(log_p, xt)
        close(sde.score(noise, t), gradient)


@pytest.mark.grid
@pytest.mark.parametrize('t, s', TIMES)
def test_jumps(sde: SDE, images, t, s):
    x0, mu, noise = images
    xt = sde.perturb(x0, mu, t, noise)
    z = torch.randn_like(x0)
    mean, std = sde.posterior(xt, x0, mu, t, s)
    close(sde.jump(x0, noise, mu, t, s, 1.0, z), mean + std * z)
    close(sde.jump(x0, noise, mu, t, s, 0.0), sde.perturb(x0, mu, s, noise))
    if t == 100 and not sde.noise_at_end:
        return
    # any eta keeps the marginal's standard deviation at s
    one, none = (sde.jump(0 * x0, n, 0 * mu, t, s, 0.6, v) for n, v in (
        (torch.ones_like(x0), 0 * z), (0 * x0, torch.ones_like(x0))))
    close(one**2 + none**2, (sde.coefficients(s)[2]**2).expand_as(one))


def test_shift_invariance(sde: SDE, images):
    x0, mu, noise = images
    a, b, _ = sde.coefficients(50)
    if not torch.isclose(a + b, torch.ones_like(a)):
        pytest.skip('a + b is not 1: no shift invariance')
    xt = sde.perturb(x0, mu, 50, noise)
    close(sde.perturb(x0 + 3, mu + 3, 50, noise), xt + 3)
    close(sde.predict_x0(xt + 3, mu + 3, noise, 50), x0 + 3)
    close(sde.posterior(xt + 3, x0 + 3, mu + 3, 50, 20)[0],
          sde.posterior(xt, x0, mu, 50, 20)[0] + 3)


def test_forward_euler_paths_have_the_marginal(sde: SDE):
    if not isinstance(sde, EulerForm):
        pytest.skip('no Euler form')
    sde = build_sde(type(sde), 1000)
    n = 20_000
    x0, mu = torch.full((n, 1, 1, 1), 0.9), torch.full((n, 1, 1, 1), 0.2)
    x = x0.clone()
    for t in range(1, 1001):
        x = (x + sde.drift(x, mu, t, x0) * sde.dt
             + sde.diffusion(t) * sde.dt**0.5 * torch.randn_like(x))
        if t in (300, 900 if not sde.noise_at_end else 1000):
            mean, std = sde.marginal(x0[:1], mu[:1], t)
            assert abs(float(x.mean() - mean)) < 0.01
            assert abs(float(x.std() / std) - 1) < 0.02


def test_inputs_are_not_modified(sde: SDE, images):
    kept = [x.clone() for x in images]
    x0, mu, noise = images
    sde.perturb(x0, mu, 5, noise)
    sde.predict_x0(x0, mu, noise, 5)
    sde.posterior(noise, x0, mu, 5)
    sde.jump(x0, noise, mu, 5, 4, 1.0, noise)
    if isinstance(sde, EulerForm):
        sde.debias(noise, x0, mu, 5)
    for x, y in zip(images, kept):
        assert torch.equal(x, y)


def test_state_dict_is_empty(sde: SDE):
    assert not sde.state_dict()


@pytest.mark.parametrize('eta', [0.0, 1.0])
def test_gradients_flow(noisy, sde: SDE, images, eta):
    x0, mu, noise = images
    noise.requires_grad_()
    x0_hat = sde.predict_x0(x0, mu, noise, torch.tensor([3, 80]))
    sde.jump(x0_hat, noise, mu, torch.tensor([3, 80]), torch.tensor([1, 40]),
             eta, torch.ones_like(x0)).sum().backward()
    assert noise.grad.abs().min() > 0
