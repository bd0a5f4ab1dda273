# As ../derain.py; the objective compares exact posterior means, not the Euler
# mean, which trains a slightly biased noise.
_base_ = [
    '../../_base_/models/irsde_unet.py', '../../_base_/datasets/rain100h.py',
    '../../_base_/schedules/irsde_500k.py', '../../_base_/default_runtime.py'
]
model = dict(pixel_loss=dict(exact=True))
