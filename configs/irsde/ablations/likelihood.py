# As ../derain.py; the objective is a bound on the likelihood, its times drawn
# by importance (Song et al., NeurIPS 2021; docs/likelihood.md). The test adds
# the bound, in bits a dimension.
_base_ = [
    '../../_base_/models/irsde_unet.py', '../../_base_/datasets/rain100h.py',
    '../../_base_/schedules/irsde_500k.py', '../../_base_/default_runtime.py'
]
model = dict(timesteps='log_snr', pixel_loss=dict(
    _delete_=True, type='irsde_mm.LikelihoodLoss', importance=True))
test_evaluator = dict(metrics=_base_.test_evaluator.metrics + [
    dict(type='irsde_mm.BitsPerDim')])
