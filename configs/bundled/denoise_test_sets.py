# The bundled denoising model on the published test sets: the model of
# denoise.py, the data and protocol of irsde/denoise.py.
_base_ = [
    '../_base_/models/bundled_nafnet.py', '../_base_/datasets/denoising.py',
    '../_base_/schedules/bundled_tuning.py', '../_base_/default_runtime.py'
]
model = dict(generator=dict(self_ensemble=4))
