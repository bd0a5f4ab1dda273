# Slight camera shake. The region is larger than a patch, because the blur
# reflects its border. Minutes of training cannot teach long blurs in any
# direction.
_base_ = './builtin_photos.py'
region = 128
degradation = [dict(
    type='irsde_mm.MotionBlur', length=(12, 16), inertia=0.)]

train_dataloader = dict(dataset=dict(pipeline=[
    dict(type='Crop', keys=['gt'], crop_size=(region, region)),
    *_base_.flips, *degradation,
    dict(type='PairedRandomCrop', gt_patch_size=_base_.patch_size),
    dict(type='PackInputs'),
]))
test_dataloader = val_dataloader = dict(dataset=dict(pipeline=[
    dict(degradation[0], fixed=True), dict(type='PackInputs'),
]))
