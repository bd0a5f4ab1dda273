# Slightly colored and patchy haze over a generated depth map, which mostly
# varies slowly, so that the region is larger than a patch. Scores include the
# borders, the published protocol.
_base_ = './builtin_photos.py'
region = 256
degradation = [dict(
    type='irsde_mm.Haze', tint=(0.9, 1), uneven=(0, 0.4))]

train_dataloader = dict(dataset=dict(pipeline=[
    dict(type='Crop', keys=['gt'], crop_size=(region, region)),
    *_base_.flips, *degradation,
    dict(type='PairedRandomCrop', gt_patch_size=_base_.patch_size),
    dict(type='PackInputs'),
]))
test_dataloader = val_dataloader = dict(dataset=dict(pipeline=[
    dict(degradation[0], fixed=True), dict(type='PackInputs'),
]))
val_evaluator = dict(metrics=_base_.scores)
test_evaluator = dict(metrics=_base_.scores + _base_.perceptual)
