# Blur of a shaking camera, made on more than a patch: its border is reflected.
_base_ = './builtin_photos.py'
region = 128
degradation = [dict(
    type='irsde_mm.MotionBlur', length=(20, 40), inertia=0.5)]

train_dataloader = dict(dataset=dict(pipeline=[
    dict(type='Crop', keys=['gt'], crop_size=(region, region)),
    *_base_.flips, *degradation,
    dict(type='PairedRandomCrop', gt_patch_size=_base_.patch_size),
    dict(type='PackInputs'),
]))
test_dataloader = val_dataloader = dict(dataset=dict(pipeline=[
    dict(degradation[0], fixed=True), dict(type='PackInputs'),
]))
