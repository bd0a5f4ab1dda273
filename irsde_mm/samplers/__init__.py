"""Samplers that solve the reverse process."""
from .base import NoiseFn, Sampler
from .diffusers import DiffusersSampler
from .euler import (EulerMaruyamaSampler, MeanODESampler,
                    ProbabilityFlowSampler)
from .multistep import MultistepSampler
from .posterior import JumpSampler, PosteriorSampler

__all__ = [
    'NoiseFn', 'Sampler', 'EulerMaruyamaSampler', 'ProbabilityFlowSampler',
    'MeanODESampler', 'PosteriorSampler', 'JumpSampler', 'MultistepSampler',
    'DiffusersSampler'
]
