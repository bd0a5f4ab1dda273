# As derain.py; the objective is a bound on the likelihood
# (docs/likelihood.md).
_base_ = [
    '../_base_/models/quickstart_published.py', '../_base_/datasets/bsds_rain.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
model = dict(timesteps='log_snr', pixel_loss=dict(
    _delete_=True, type='irsde_mm.LikelihoodLoss', importance=True))
