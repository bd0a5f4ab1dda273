# A quarter of the resolution, upsampled by bicubic interpolation as published.
_base_ = './builtin_photos.py'
region = 64
degradation = [
    dict(type='irsde_mm.LowResolution', scale=4),
    dict(type='irsde_mm.Upsample', scale=4)]

train_dataloader = dict(dataset=dict(pipeline=[
    dict(type='Crop', keys=['gt'], crop_size=(region, region)),
    *_base_.flips, *degradation,
    dict(type='PackInputs'),
]))
test_dataloader = val_dataloader = dict(dataset=dict(pipeline=[
    *degradation, dict(type='PackInputs'),
]))
