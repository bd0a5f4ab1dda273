"""Objectives against their definitions."""
import pytest
import torch
from conftest import OUTPUTS, SDES, build_sde, predict
from irsde_mm.errors import ConfigError
from irsde_mm.models.losses import (LikelihoodLoss, MaximumLikelihoodLoss,
                                    NoiseMatchingLoss)
from irsde_mm.models.restorers.times import check_objective, check_times
from irsde_mm.registry import MODELS
from irsde_mm.sde import (GOUB, I2SB, IRSDE, SDE, DenoisingSDE, EulerForm,
                          ResShift, UniDB)
from irsde_mm.sde.log_snr import log_snr_range

L2 = dict(type='mmagic.MSELoss')


@pytest.fixture
def batch(sde: SDE, images):
    x0, mu, noise = images
    t = torch.tensor([3, 80])
    return dict(xt=sde.perturb(x0, mu, t, noise), x0=x0, mu=mu, t=t,
                noise=noise)


@pytest.fixture
def euler(sde):
    if not isinstance(sde, EulerForm):
        pytest.skip('no Euler form')
    return sde


@pytest.fixture
def stationary(sde):
    if not sde.stationary_end:
        pytest.skip('no likelihood')


def evaluate(loss, sde, pred, **batch):
    """Return the loss of a predicted noise."""
    prediction = predict(sde, pred, batch['xt'], batch['mu'], batch['t'])
    return loss(sde, prediction, output=pred, target=batch['noise'], **batch)


def test_golden_euler_mean_and_optimum(golden):
    """L1 between the published Euler mean and optimal reverse state."""
    g, sde = golden('irsde_cosine_T100'), IRSDE(10 / 255)
    loss = MaximumLikelihoodLoss()
    for i, t in enumerate(g['t']):
        value = evaluate(loss, sde, g['noise_pred'], xt=g['xt'][i], x0=g['x0'],
                     mu=g['mu'], t=t.repeat(2), noise=g['noise'])
        expected = (g['sde_mean'][i] - g['optimum'][i]).abs().mean()
        torch.testing.assert_close(value, expected, rtol=1e-4, atol=1e-7)


def test_exact_loss_is_minimal_at_the_true_noise(noisy, sde, batch):
    loss = MaximumLikelihoodLoss(exact=True)
    assert evaluate(loss, sde, batch['noise'], **batch) < 1e-9
    assert evaluate(loss, sde, batch['noise'] + 0.1, **batch) > 1e-6


def test_euler_loss_is_minimal_at_the_biased_noise(euler, sde, batch):
    loss = MaximumLikelihoodLoss(distance=L2)
    pred = batch['noise'].clone().requires_grad_()
    for _ in range(2):  # quadratic in the noise: one Newton step is exact
        g, = torch.autograd.grad(evaluate(loss, sde, pred, **batch), pred,
                                 create_graph=True)
        h, = torch.autograd.grad(g.sum(), pred)
        pred = (pred - g / h).detach().requires_grad_()
    torch.testing.assert_close(
        sde.debias(pred, batch['xt'], batch['mu'], batch['t']),
        batch['noise'], rtol=1e-3, atol=1e-3)


def test_weights_are_per_image(euler, sde, batch):
    pred = torch.randn_like(batch['noise'])
    for distance in (dict(type='mmagic.L1Loss'), L2,
                     dict(type='mmagic.CharbonnierLoss')):
        each = [evaluate(
            MaximumLikelihoodLoss(distance), sde, pred[i:i + 1],
            **{k: v[i:i + 1] for k, v in batch.items()})
            for i in range(2)]
        weights = sde.diffusion(batch['t']).flatten()**2
        torch.testing.assert_close(
            evaluate(MaximumLikelihoodLoss(distance, weighted=True), sde,
                     pred, **batch),
            (weights * torch.stack(each)).mean())


def test_noise_matching(noisy, sde, batch):
    pred = torch.randn_like(batch['noise'])
    loss = MODELS.build(dict(type='irsde_mm.NoiseMatchingLoss', distance=L2))
    torch.testing.assert_close(evaluate(loss, sde, pred, **batch),
                               (pred - batch['noise']).square().mean())


def test_names_of_objectives():
    assert MaximumLikelihoodLoss().objective == 'euler'
    assert MaximumLikelihoodLoss(exact=True).objective == 'exact'
    assert NoiseMatchingLoss().objective == 'noise'
    assert LikelihoodLoss().objective == 'likelihood'


@pytest.mark.parametrize('loss, words', [
    (MaximumLikelihoodLoss(), 'Curve has no Euler form.*exact=True'),
    (MaximumLikelihoodLoss(exact=True, weighted=True), 'no Euler form'),
    (LikelihoodLoss(), 'Curve has no Euler form')])
def test_objectives_that_need_an_euler_form(loss, words):

    class Curve(SDE):
        coefficients = IRSDE.coefficients
        start = IRSDE.start

    with pytest.raises(ConfigError, match=words):
        check_objective(loss, Curve())


def test_likelihood_needs_a_stationary_end():
    ends = [cls for cls in SDES if not cls.stationary_end]
    assert {DenoisingSDE, GOUB, UniDB, I2SB, ResShift} <= set(ends)
    for cls in ends:
        sde = build_sde(cls)
        with pytest.raises(ValueError, match='known distribution at T'):
            check_times('log_snr', sde, None)
        if isinstance(sde, EulerForm):
            with pytest.raises(ValueError, match='known distribution at T'):
                check_objective(LikelihoodLoss(), sde)
    check_objective(LikelihoodLoss(), build_sde(IRSDE))


@pytest.mark.parametrize('output', OUTPUTS, ids=lambda cls: cls.__name__)
def test_output_loss(output, images):
    """0 for the target, and weighted per image."""
    sde, (x0, mu, noise), t = build_sde(IRSDE), images, torch.tensor([3, 80])
    xt = sde.perturb(x0, mu, t, noise)
    output = output()
    output.measure([(x0, mu)])
    target = output.target(sde, xt, x0, mu, t, noise)
    loss = MODELS.build(dict(type='irsde_mm.OutputLoss', distance=L2))

    def value(out, weight):
        return loss(sde, output.decode(sde, out, xt, mu, t), output=out,
                    target=target, xt=xt, x0=x0, mu=mu, t=t, noise=noise,
                    weight=weight)

    weight = torch.tensor([3., 0.5], dtype=x0.dtype).view(2, 1, 1, 1)
    assert value(target, weight) == 0
    wrong = target + torch.tensor([1., 2.]).view(2, 1, 1, 1)
    expected = (weight.flatten() * x0.new_tensor([1., 4.])).mean()
    torch.testing.assert_close(value(wrong, weight), expected)
    torch.testing.assert_close(float(value(wrong, None)), 2.5)


def test_likelihood_weights_follow_the_paper(stationary, sde, batch):
    """T dt / 2 times 2 theta / (1 - e^(-2 theta_bar)) on the squared error;
    a constant weight with importance sampling."""
    pred = torch.randn_like(batch['noise'])
    t = batch['t']
    each = (pred - batch['noise']).square().mean((1, 2, 3))
    weight = 2 * sde.theta[t] / -torch.expm1(-2 * sde.theta_bar[t])
    torch.testing.assert_close(
        evaluate(LikelihoodLoss(), sde, pred, **batch),
        100 * sde.dt / 2 * (weight * each).mean(), rtol=1e-5, atol=0)
    torch.testing.assert_close(
        evaluate(LikelihoodLoss(importance=True), sde, pred, **batch),
        log_snr_range(sde) / 2 * each.mean(), rtol=1e-5, atol=0)


def test_likelihood_ignores_times_before_the_first_step(
        stationary, sde, batch):
    batch['t'] = torch.tensor([0.5, 40.])
    pred = batch['noise'].clone()
    pred[0] += 3
    assert evaluate(LikelihoodLoss(), sde, pred, **batch) == 0
    pred[1] += 3
    assert evaluate(LikelihoodLoss(), sde, pred, **batch) > 0
