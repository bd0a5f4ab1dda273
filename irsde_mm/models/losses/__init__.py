"""Training objectives."""
from .likelihood import LikelihoodLoss
from .objectives import MaximumLikelihoodLoss, NoiseMatchingLoss

__all__ = ['LikelihoodLoss', 'MaximumLikelihoodLoss', 'NoiseMatchingLoss']
