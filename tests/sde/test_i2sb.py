"""I2SB against published values, and its ramp."""
import pytest
import torch
from conftest import agree, floats
from irsde_mm.samplers import PosteriorSampler
from irsde_mm.sde import I2SB, CleanOutput, StepOutput


@pytest.fixture
def i2sb(precision, golden):
    return floats(golden('i2sb_interval1000_beta0.3')), I2SB()


def test_tables(i2sb):
    g, sde = i2sb
    t = torch.arange(1001)
    for ours, name in zip(sde.coefficients(t), 'abc'):
        agree(ours, g[f'fix_{name}'])
    agree(sde.forward_std(t), g['fix_s'])
    s, t = t[:-2], t[1:-1]
    agree(sde.retention(t, s), g['fix_a'][1:-1] / g['fix_a'][:-2])


def test_published_tables_count_a_beta_twice(i2sb):
    """Index n of the published tables is our n + 1; its backward variance
    contains the beta of the step to n as well, so the last state is noisy."""
    g, sde = i2sb
    t = torch.arange(1, 1001)
    agree(sde.forward_std(t), g['std_fwd'])
    before = sde.coefficients(t - 1)[1] * sde.forward_std(1000)**2
    agree((sde.forward_std(1000)**2 - before).sqrt(), g['std_bwd'])
    assert g['std_sb'][-1] > 0.009 and not sde.coefficients(1000)[2]


def test_step_output(i2sb):
    """The label is that of the published index."""
    g, sde = i2sb
    output = StepOutput()
    for i, t in enumerate((g['t'] + 1).tolist()):
        for state, label in (('xt', 'label'), ('xt_ot', 'label_ot')):
            agree(output.target(sde, g[state][i], g['x0'], g['x1'], t,
                                g['noise']), g[label][i])
        agree(output.decode(sde, g['net_out'], g['xt'][i], g['x1'], t).x0,
              g['x0_from_net'][i])


@pytest.mark.parametrize('n', [4, 10])
def test_few_steps(i2sb, n):
    """Without noise, also in the first step: the published OT-ODE."""
    g, sde = i2sb
    mu, z = g['x1'], g['z'][:n]

    def denoiser(x, t):
        x0 = mu + 0.5 * torch.tanh(2 * (x - mu)) + 0.05 * t / 1000
        return CleanOutput().decode(sde, x0, x, mu, t)

    assert PosteriorSampler(n).grid(sde, 1000) == g[
        f'fix_times_nfe{n}'].tolist()
    for name, draws in (('sde', z), ('ot', 0 * z)):
        end = PosteriorSampler(n).sample(sde, denoiser, mu, mu, 1000,
                                         draws=draws)
        agree(end, g[f'fix_{name}_nfe{n}'], 1e-8, run=True)


@pytest.mark.parametrize('num_steps', [1, 2, 7, 100, 1001])
def test_sums_close(num_steps):
    """Forward and backward variance have the same sum at all times, and the
    ramp is a mirror image of itself."""
    sde = I2SB(num_steps).double()
    t = torch.arange(num_steps + 1)
    a, b, c = (x.flatten() for x in sde.coefficients(t))
    torch.testing.assert_close(a + b, torch.ones_like(a))
    torch.testing.assert_close(a, b.flip(0), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(c, c.flip(0), rtol=1e-4, atol=1e-6)
    assert a[-1] == c[-1] == c[0] == 0


def test_noise_does_not_depend_on_the_number_of_steps():
    few, many = (float(I2SB(n).coefficients(n // 2)[2]) for n in (100, 1000))
    assert abs(few / many - 1) < 0.02


@pytest.mark.parametrize('beta_max', [0, -0.1, 1.1, float('nan')])
def test_bad_beta_max(beta_max):
    with pytest.raises(ValueError, match='beta_max must be in .0, 1'):
        I2SB(beta_max=beta_max)


def test_no_start_noise():
    mu = torch.rand(1, 3, 8, 8)
    assert torch.equal(I2SB().start(mu)[0], mu)
    with pytest.raises(ValueError, match='I2SB starts in .*remove sigma'):
        I2SB().start(mu, sigma=0.1)
