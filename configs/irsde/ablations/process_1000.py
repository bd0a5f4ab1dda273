# As ../derain.py; a process of 1000 steps in place of 100.
_base_ = [
    '../../_base_/models/irsde_unet.py', '../../_base_/datasets/rain100h.py',
    '../../_base_/schedules/irsde_500k.py', '../../_base_/default_runtime.py'
]
model = dict(sde=dict(num_steps=1000))
