# As derain.py; the objective is a bound on the likelihood, with times drawn by
# importance sampling (docs/likelihood.md). The test adds the bound.
_base_ = [
    '../_base_/models/quickstart_published.py',
    '../_base_/datasets/builtin_rain.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
model = dict(timesteps='log_snr', pixel_loss=dict(
    _delete_=True, type='irsde_mm.LikelihoodLoss', importance=True))
test_evaluator = dict(metrics=_base_.test_evaluator.metrics + [
    dict(type='irsde_mm.BitsPerDim')])
