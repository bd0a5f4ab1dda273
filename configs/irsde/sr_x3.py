# As sr.py, three times larger.
_base_ = [
    '../_base_/models/irsde_unet.py', '../_base_/datasets/df2k_x3.py',
    '../_base_/schedules/irsde_500k.py', '../_base_/default_runtime.py'
]
model = dict(sde=dict(max_sigma=30 / 255))
