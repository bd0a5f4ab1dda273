# Synthetic rain from a drizzle to downpours: several directions, bright and
# translucent streaks, and a veil.
_base_ = './builtin_photos.py'
region = 64
degradation = [dict(
    type='irsde_mm.RainStreaks', angle=(-45, 45), length=(8, 40),
    density=(0.0003, 0.005), brightness=(20, 90), layers=(1, 3),
    width=(0.4, 1.0), spread=(0, 20), opacity=(0, 0.4), veil=(0, 0.5))]

train_dataloader = dict(dataset=dict(pipeline=[
    dict(type='Crop', keys=['gt'], crop_size=(region, region)),
    *_base_.flips, *degradation,
    dict(type='PackInputs'),
]))
test_dataloader = val_dataloader = dict(dataset=dict(pipeline=[
    dict(degradation[0], fixed=True), dict(type='PackInputs'),
]))
