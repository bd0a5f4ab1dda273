# Thin missing strokes. Their width is relative to the area that they are drawn
# on, so the region is larger than a patch.
_base_ = './builtin_photos.py'
region = 320
degradation = [dict(type='irsde_mm.KeepMask', kinds=['thin'])]

train_dataloader = dict(dataset=dict(pipeline=[
    dict(type='Crop', keys=['gt'], crop_size=(region, region)),
    *_base_.flips, *degradation,
    dict(type='PairedRandomCrop', gt_patch_size=_base_.patch_size),
    dict(type='PackInputs'),
]))
test_dataloader = val_dataloader = dict(dataset=dict(pipeline=[
    dict(degradation[0], fixed=True), dict(type='PackInputs'),
]))
