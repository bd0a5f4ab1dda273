# As ../derain.py; the objective compares noises (the paper, section 5.1).
_base_ = [
    '../../_base_/models/irsde_unet.py', '../../_base_/datasets/rain100h.py',
    '../../_base_/schedules/irsde_500k.py', '../../_base_/default_runtime.py'
]
model = dict(pixel_loss=dict(type='irsde_mm.NoiseMatchingLoss'))
