"""Training objectives and pixel losses."""
from .consistency import ConsistencyLoss
from .detail import DetailLoss
from .likelihood import LikelihoodLoss
from .objectives import MaximumLikelihoodLoss, NoiseMatchingLoss, OutputLoss
from .perceptual import PerceptualLoss
from .sums import SumLoss

__all__ = ['ConsistencyLoss', 'DetailLoss', 'LikelihoodLoss',
           'MaximumLikelihoodLoss', 'NoiseMatchingLoss', 'OutputLoss',
           'PerceptualLoss', 'SumLoss']
