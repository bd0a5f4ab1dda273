"""Registers processes and samplers, which know of no registry themselves."""
from .. import samplers, sde
from ..registry import DIFFUSION_SCHEDULERS

for _component in (sde.IRSDE, sde.DenoisingSDE, sde.VPSDE,
                   samplers.EulerMaruyamaSampler,
                   samplers.ProbabilityFlowSampler, samplers.PosteriorSampler,
                   samplers.JumpSampler, samplers.MultistepSampler,
                   samplers.DiffusersSampler):
    DIFFUSION_SCHEDULERS.register_module(module=_component)
