# Gaussian noise of one level. Scores include the borders, the published
# protocol.
_base_ = './builtin_photos.py'
region = 64
degradation = [dict(type='irsde_mm.GaussianNoise', sigma=25 / 255)]

train_dataloader = dict(dataset=dict(pipeline=[
    dict(type='Crop', keys=['gt'], crop_size=(region, region)),
    *_base_.flips, *degradation,
    dict(type='PackInputs'),
]))
test_dataloader = val_dataloader = dict(dataset=dict(pipeline=[
    dict(degradation[0], fixed=True),
    dict(type='PackInputs', meta_keys=['sigma']),
]))
val_evaluator = dict(metrics=_base_.scores)
test_evaluator = dict(metrics=_base_.scores + _base_.perceptual)
