# As ../derain.py; theta grows linearly (the paper's appendix).
_base_ = [
    '../../_base_/models/irsde_unet.py', '../../_base_/datasets/rain100h.py',
    '../../_base_/schedules/irsde_500k.py', '../../_base_/default_runtime.py'
]
model = dict(sde=dict(schedule='linear'))
