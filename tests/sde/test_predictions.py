"""Outputs: decoding a target gives the clean image, on every process."""
import pytest
import torch
from conftest import OUTPUTS, build_sde
from irsde_mm.sde import (GOUB, IRSDE, RDDM, VPSDE, CleanOutput,
                          EulerNoiseOutput, NoiseOutput, PreconditionedOutput,
                          ResidualNoiseOutput, VelocityOutput)


def close(a, b, tol=1e-6):
    torch.testing.assert_close(a, b, rtol=tol, atol=tol)


def output_for(cls, sde, pairs):
    """Return a measured output, or None if it does not support the process."""
    output = cls()
    output.measure(pairs)
    try:
        output.check(sde)
    except ValueError:
        return None
    return output


@pytest.mark.grid
@pytest.mark.parametrize('t', [1, 50, 100, 33.3, torch.tensor([2, 99]),
                               torch.tensor([0.4, 71.6])], ids=str)
@pytest.mark.parametrize('cls', OUTPUTS, ids=lambda cls: cls.__name__)
def test_target_decodes_to_the_clean_image(cls, sde, images, t):
    x0, mu, noise = images
    output = output_for(cls, sde, [(x0, mu)])
    if output is None:
        pytest.skip('not supported')
    a, _, c = sde.coefficients(t)
    if not (a > 0).all() and output.needs_signal:
        pytest.skip('no signal at this time')
    if cls is VelocityOutput and not (c > 0).all():
        pytest.skip('a bridge has no velocity at its end')
    xt = sde.perturb(x0, mu, t, noise)
    out = output.target(sde, xt, x0, mu, t, noise)
    assert out.shape[1] == 3 * output.channels
    kept = out.clone()
    prediction = output.decode(sde, out, xt, mu, t)
    # the tables are float32; some outputs divide by a_T = 0.005
    tol = 1e-4 if output.needs_signal or cls is VelocityOutput else 1e-6
    close(prediction.x0, x0, tol)
    close(prediction.mu, mu)
    expected = noise if cls is ResidualNoiseOutput else torch.where(
        c > 0, noise, torch.zeros_like(noise))
    close(prediction.noise, expected, 1e-3)
    assert torch.equal(out, kept), 'the output was modified'
    assert (output.weight(sde, t) > 0).all()


def test_refused_arguments():
    with pytest.raises(ValueError, match='no Euler form.*NoiseOutput'):
        EulerNoiseOutput().check(RDDM())
    with pytest.raises(ValueError, match='a \\+ b = 1, unlike VPSDE'):
        ResidualNoiseOutput().check(build_sde(VPSDE))
    with pytest.raises(ValueError, match='positive'):
        PreconditionedOutput(0)
    with pytest.raises(ValueError, match='needs sigma_data'):
        PreconditionedOutput().scales(IRSDE(0.1), 5)


def test_preconditioned_output_measures_the_residual(images):
    x0, mu, _ = images
    output = PreconditionedOutput()
    output.measure([(x0, mu), (x0 / 2, mu / 2)])
    residual = torch.cat((x0 - mu, x0 / 2 - mu / 2))
    expected = float(residual.square().mean().sqrt())
    assert abs(output.sigma_data - expected) < 1e-9
    fixed = PreconditionedOutput(0.12)
    fixed.measure([(x0, mu)])
    assert fixed.sigma_data == 0.12


@pytest.mark.parametrize('t', [1, 30, 70, 99])
def test_preconditioned_targets_have_unit_variance(t):
    sde, g = build_sde(IRSDE), torch.Generator().manual_seed(0)
    x0, mu, noise = (torch.randn(4, 3, 64, 64, generator=g).double()
                     for _ in range(3))
    x0 = mu + 0.12 * x0
    output = PreconditionedOutput(0.12)
    target = output.target(sde, sde.perturb(x0, mu, t, noise), x0, mu, t,
                           noise)
    assert abs(float(target.std()) - 1) < 0.02
    # targets of equal size need no weights: weighting by 1 / c_out as well
    # would train little but the last times of a trajectory
    assert (output.weight(sde, t) == 1).all()


def test_velocity_of_a_straight_process():
    """x0 = xt - t v."""

    class Straight(IRSDE):

        def coefficients(self, t):
            b = torch.as_tensor(t / self.num_steps, dtype=torch.float64)
            b = b.view(-1, 1, 1, 1) if b.ndim else b
            return 1 - b, b, 0 * b

    sde = Straight(0.1)
    xt, mu, v = torch.rand(3, 2, 3, 8, 8, dtype=torch.float64)
    for t in (3, 50, 100, 40.5):
        for output, factor in ((VelocityOutput(), 1),
                               (VelocityOutput(per_step=False), 100)):
            prediction = output.decode(sde, factor * v, xt, mu, t)
            close(prediction.x0, xt - t * v)
            assert not prediction.noise.any()


def test_noise_output_of_a_bridge_returns_mu_at_its_end(images):
    _, mu, noise = images
    prediction = NoiseOutput().decode(build_sde(GOUB), noise, mu, mu, 100)
    assert torch.equal(prediction.x0, mu) and not prediction.noise.any()


def test_euler_steps_take_the_biased_noise():
    assert type(NoiseOutput().trained_with('euler')) is EulerNoiseOutput
    assert type(NoiseOutput().trained_with('exact')) is NoiseOutput
    assert type(EulerNoiseOutput().for_euler_steps()) is NoiseOutput
    output = CleanOutput()
    assert output.trained_with('euler') is output.for_euler_steps() is output
