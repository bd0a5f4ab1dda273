# As ../derain.py; the objective is a bound on the likelihood, with times drawn
# by importance sampling (Song et al., NeurIPS 2021; docs/likelihood.md). The
# test adds the bound, in bits per dimension.
_base_ = '../derain.py'
model = dict(timesteps='log_snr', pixel_loss=dict(
    _delete_=True, type='irsde_mm.LikelihoodLoss', importance=True))
test_evaluator = dict(metrics=_base_.test_evaluator.metrics + [
    dict(type='irsde_mm.BitsPerDim')])
