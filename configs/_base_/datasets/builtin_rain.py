# Synthetic rain streaks.
_base_ = './builtin_photos.py'
region = 64
degradation = [dict(
    type='irsde_mm.RainStreaks', angle=(-30, 30), length=(10, 30),
    density=(0.0015, 0.004), brightness=(40, 100), layers=(1, 3))]

train_dataloader = dict(dataset=dict(pipeline=[
    dict(type='Crop', keys=['gt'], crop_size=(region, region)),
    *_base_.flips, *degradation,
    dict(type='PackInputs'),
]))
test_dataloader = val_dataloader = dict(dataset=dict(pipeline=[
    dict(degradation[0], fixed=True), dict(type='PackInputs'),
]))
