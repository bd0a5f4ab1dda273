"""Memory: a sampling step allocates at most six image-sized tensors."""
import pytest
import torch
from irsde_mm.samplers import DiffusersSampler
from irsde_mm.sde import IRSDE, EulerNoiseOutput, NoiseOutput

SIDE = 256


@pytest.mark.grid
@pytest.mark.parametrize('output', [NoiseOutput(), EulerNoiseOutput()])
@pytest.mark.parametrize('clamp', [None, (0, 1)])
def test_a_step_allocates_at_most_six_images(sampler_class, output, clamp):
    sde, mu = IRSDE(0.1), torch.rand(1, 3, SIDE, SIDE)
    noise, sampler = torch.randn_like(mu), sampler_class(10)
    if isinstance(sampler, DiffusersSampler):
        pytest.skip('diffusers allocates here')
    if sampler.needs_euler_form:
        output = output.for_euler_steps()
    sampler.clamp = clamp
    with torch.profiler.profile(
            activities=[torch.profiler.ProfilerActivity.CPU],
            profile_memory=True) as profile:
        sampler.sample(
            sde, lambda x, t: output.decode(sde, noise, x, mu, t), mu, mu,
            100, generator=[torch.Generator()])
    size = mu.numel() * mu.element_size()
    # an operation that frees a scalar too counts slightly less
    used = sum(event.self_cpu_memory_usage for event in profile.events()
               if event.self_cpu_memory_usage >= 0.9 * size)
    # Euler steps compute x0 only to clamp it
    most = 70 if clamp and sampler.needs_euler_form else 60
    assert 10 <= round(used / size) <= most
