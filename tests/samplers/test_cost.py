"""What a step may allocate: the budget is six image-sized tensors."""
import pytest
import torch
from irsde_mm.samplers import DiffusersSampler, EulerMaruyamaSampler
from irsde_mm.sde import IRSDE

SIDE = 256


@pytest.mark.parametrize('debias', [False, True])
@pytest.mark.parametrize('clamp', [None, (0, 1)])
def test_a_step_allocates_at_most_six_images(sampler_class, debias, clamp):
    sde, mu = IRSDE(0.1), torch.rand(1, 3, SIDE, SIDE)
    noise, sampler = torch.randn_like(mu), sampler_class(10)
    if isinstance(sampler, DiffusersSampler):
        pytest.skip('what the schedulers of diffusers allocate is theirs')
    if debias and clamp and getattr(sampler, 'order', 1) == 2 and (
            sampler.stochastic):
        pytest.skip('all at once take seven')
    if debias and clamp and sampler_class is EulerMaruyamaSampler:
        pytest.skip('debias is not for Euler steps')
    sampler.debias, sampler.clamp = debias, clamp
    with torch.profiler.profile(
            activities=[torch.profiler.ProfilerActivity.CPU],
            profile_memory=True) as profile:
        sampler.sample(sde, lambda x, t: noise, mu, mu, 100,
                       generator=[torch.Generator()])
    size = mu.numel() * mu.element_size()
    # an operation that also frees a number counts a little less
    used = sum(event.self_cpu_memory_usage for event in profile.events()
               if event.self_cpu_memory_usage >= 0.9 * size)
    assert 10 <= round(used / size) <= 60
