"""Training objectives."""
from .likelihood import LikelihoodLoss
from .objectives import MaximumLikelihoodLoss, NoiseMatchingLoss, OutputLoss

__all__ = ['LikelihoodLoss', 'MaximumLikelihoodLoss', 'NoiseMatchingLoss',
           'OutputLoss']
