"""Training objectives."""
from .objectives import MaximumLikelihoodLoss, NoiseMatchingLoss

__all__ = ['MaximumLikelihoodLoss', 'NoiseMatchingLoss']
