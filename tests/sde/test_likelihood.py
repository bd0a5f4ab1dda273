"""The likelihood bound on Gaussian images, whose likelihood is known."""
import math

import pytest
import torch
from conftest import build_sde, predict
from irsde_mm.models.losses import LikelihoodLoss
from irsde_mm.sde import IRSDE, SDE, VPSDE, DenoisingSDE
from irsde_mm.sde.likelihood import bits_per_dim, likelihood_bound
from irsde_mm.sde.log_snr import (draw_log_snr_times, half_log_snr,
                                  log_snr_range)

M, MU = 0.7, 0.3  # x0 ~ N(M, r^2) in every pixel, mu is the constant MU


@pytest.fixture(params=[IRSDE, VPSDE], ids=lambda cls: cls.__name__)
def sde(request) -> SDE:
    """The processes with a known distribution at T."""
    return build_sde(request.param)


class Gaussian:
    """Closed forms of a process whose clean images are N(m, r^2)."""

    def __init__(self, sde: SDE, r: float, m: float = M) -> None:
        self.sde, self.r, self.m = sde, r, m

    def state(self, t):
        """Return mean and standard deviation of x_t, and c."""
        a, b, c = self.sde.coefficients(t)
        return a * self.m + b * MU, (a**2 * self.r**2 + c**2).sqrt(), c

    def noise(self, xt, t):
        """Return the optimal prediction, E[noise | x_t]."""
        mean, std, c = self.state(t)
        return c * (xt - mean) / std**2

    def draw(self, *shape):
        return self.m + self.r * torch.randn(shape, dtype=torch.float64)

    def log_density(self, x0):
        return torch.distributions.Normal(self.m, self.r).log_prob(x0).sum()

    def gap(self):
        """Return the expected bound + ln p(x0) per dimension.

        The bound is loose at T, where x_T is not exactly N(m, lam^2), and at
        t = 1, where the last step does not know r.
        """
        mean, std, _ = self.state(self.sde.num_steps)
        prior = 0. if isinstance(self.sde, VPSDE) else MU
        ratio = (std / self.sde.lam)**2
        at_end = (ratio - 1 - ratio.log()
                  + ((mean - prior) / self.sde.lam)**2) / 2
        a, _, c = self.sde.coefficients(1)
        v = (c / a)**2  # of the last step; the optimum is v r^2 / (v + r^2)
        best = v * self.r**2 / (v + self.r**2)
        shift = v**2 / (v + self.r**2)  # mean squared difference of means
        at_start = ((best + shift) / v - 1 - (best / v).log()) / 2
        return float(at_end + at_start)


def mean_bound(sde, known, images, times=48):
    """Return mean and standard error of bound + ln p(x0) per dimension."""
    g = torch.Generator().manual_seed(0)
    mu = torch.full((1, 3, 16, 16), MU, dtype=torch.float64)
    differences = []
    for _ in range(images):
        x0 = known.draw(1, 3, 16, 16)
        bound = likelihood_bound(sde, known.noise, x0, mu, times, g)
        differences.append(float(bound + known.log_density(x0)) / x0.numel())
    differences = torch.tensor(differences)
    return (float(differences.mean()),
            float(differences.std()) / math.sqrt(images))


@pytest.mark.grid
@pytest.mark.parametrize('r', [0.05, 0.3, 1.])
def test_exact_for_gaussian_images(sde, r):
    """The bound is -ln p(x0 | mu) plus the known gap at the two ends."""
    known = Gaussian(sde, r)
    mean, error = mean_bound(sde, known, 60)
    assert error < 0.01
    assert abs(mean - known.gap()) < 4 * error


def test_tight_for_the_stationary_distribution(sde):
    """x0 ~ N(m, lam^2) keeps its distribution: the gap vanishes."""
    m = 0. if isinstance(sde, VPSDE) else MU
    known = Gaussian(sde, sde.lam, m)
    mean, error = mean_bound(sde, known, 40)
    assert known.gap() < 1e-3 and error < 0.015
    assert abs(mean) < 4 * error + known.gap()


def test_worse_predictions_give_a_larger_bound(sde):
    known = Gaussian(sde, 0.3)
    best, error = mean_bound(sde, known, 20)
    known.noise = lambda xt, t, net=known.noise: 0.8 * net(xt, t)
    assert mean_bound(sde, known, 20)[0] > best + 5 * error


def test_bits_of_uniform_noise(sde):
    """Uniform gray levels hold 8 bits; a Gaussian model of them takes the
    cross entropy."""
    known = Gaussian(sde, 0.3)

    def net(xt, mu, t):
        return known.noise(xt, t)

    g = [torch.Generator().manual_seed(i) for i in range(20)]
    x0 = torch.randint(0, 256, (20, 3, 16, 16)).double() / 255
    known.m = sde.from_image(torch.tensor(0.5)).item()
    scale = 2 if isinstance(sde, VPSDE) else 1
    mu = torch.full_like(x0, (MU + scale - 1) / scale)
    bits = bits_per_dim(sde, net, x0, mu, 48, g)
    variance = scale**2 * (256**2 / 255**2) / 12
    nats = (math.log(2 * math.pi * known.r**2) + variance / known.r**2) / 2
    expected = nats / math.log(2) - math.log2(scale / 255)
    assert expected > 8
    assert abs(float(bits.mean()) - expected) < 4 * float(
        bits.std()) / 20**0.5 + known.gap() * 2


def test_times_are_uniform_in_log_snr(sde):
    t = draw_log_snr_times(sde, 1000).double()
    low, high = half_log_snr(sde, 100), half_log_snr(sde, 1)
    place = ((half_log_snr(sde, t) - low) / (high - low)).sort()[0]
    torch.testing.assert_close(
        place, (torch.arange(1000) + 0.5).double() / 1000, atol=1e-3, rtol=0)
    assert t.min() >= 1 - 1e-6 and t.max() <= 100
    assert (t.diff() > 0).any() and (t.diff() < 0).any(), 'in random order'


def test_log_snr_times_in_terms_of_theta_bar(sde):
    """theta_bar = ln(1 + e^F) / 2, F from its value at t = 1 to that at T."""
    t = draw_log_snr_times(sde, 100)
    theta_bar = sde.theta_bar_at(t).flatten()
    F = torch.expm1(2 * theta_bar).log()
    ends = torch.expm1(2 * sde.theta_bar[[1, -1]]).log()
    torch.testing.assert_close(log_snr_range(sde), ends[1] - ends[0],
                               rtol=1e-5, atol=0)
    torch.testing.assert_close(torch.log1p(F.exp()) / 2, theta_bar)
    place = ((F - ends[0]) / (ends[1] - ends[0])).sort()[0]
    assert (place - (torch.arange(100) + 0.5) / 100).abs().max() < 0.006


def losses(sde, importance, draw, n=2500):
    """Return the losses of n single images."""
    known = Gaussian(sde, 0.3)
    x0, noise = known.draw(n, 1, 2, 2), torch.randn(n, 1, 2, 2).double()
    mu, t, loss = torch.full_like(x0, MU), draw(n), LikelihoodLoss(importance)
    xt = sde.perturb(x0, mu, t, noise)
    # far from the optimum, so that no loss is close to 0
    pred = 0.5 * known.noise(xt, t)
    batch = dict(xt=xt, x0=x0, mu=mu, t=t, noise=noise)

    def value(**one):
        prediction = predict(sde, one['output'], one['xt'], one['mu'],
                             one['t'])
        return loss(sde, prediction, target=one['noise'], **one)

    return torch.stack([value(**{
        key: image[i:i + 1] for key, image in dict(batch, output=pred).items()
    }) for i in range(n)])


@pytest.mark.grid(at_most=1)
def test_importance_sampling_reduces_the_variance_alone(sde):
    uniform = losses(sde, False, lambda n: 100 * (
        1 - torch.rand(n, dtype=torch.float64)))
    drawn = losses(sde, True, lambda n: draw_log_snr_times(sde, n).double())
    error = ((uniform.var() + drawn.var()) / len(drawn)).sqrt()
    assert error < 0.15 * drawn.mean()
    assert abs(uniform.mean() - drawn.mean()) < 4 * error
    assert drawn.var() < uniform.var() / 2


def test_processes_without_a_known_end_are_refused():
    sde, x = build_sde(DenoisingSDE), torch.zeros(1, 3, 4, 4).double()
    with pytest.raises(ValueError, match='DenoisingSDE has none'):
        likelihood_bound(sde, None, x, x, 4, torch.Generator())
    with pytest.raises(ValueError, match='no finite log-SNR at T'):
        log_snr_range(VPSDE(50, 'jsd'))
