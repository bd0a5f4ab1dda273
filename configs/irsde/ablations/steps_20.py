# As ../derain.py; restored in 20 steps, with the objective's bias undone.
_base_ = [
    '../../_base_/models/irsde_unet.py', '../../_base_/datasets/rain100h.py',
    '../../_base_/schedules/irsde_500k.py', '../../_base_/default_runtime.py'
]
model = dict(sampler=dict(num_steps=20))
