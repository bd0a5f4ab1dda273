# As ../derain.py; restored by Euler-Maruyama on the reverse SDE, the paper's
# sampler.
_base_ = [
    '../../_base_/models/irsde_unet.py', '../../_base_/datasets/rain100h.py',
    '../../_base_/schedules/irsde_500k.py', '../../_base_/default_runtime.py'
]
model = dict(sampler=dict(type='irsde_mm.EulerMaruyamaSampler'))
