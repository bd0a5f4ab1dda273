# Synthetic rain from a drizzle to showers: several directions, translucent and
# opaque streaks, and a thin veil. Minutes of training on small patches cannot
# teach the contrast that a denser veil hides.
_base_ = './builtin_photos.py'
region = 64
degradation = [dict(
    type='irsde_mm.RainStreaks', angle=(-45, 45), length=(8, 40),
    density=(0.0005, 0.004), brightness=(40, 100), layers=(1, 3),
    width=(0.4, 1.0), spread=(0, 20), opacity=(0, 0.3), veil=(0, 0.1))]

train_dataloader = dict(dataset=dict(pipeline=[
    dict(type='Crop', keys=['gt'], crop_size=(region, region)),
    *_base_.flips, *degradation,
    dict(type='PackInputs'),
]))
test_dataloader = val_dataloader = dict(dataset=dict(pipeline=[
    dict(degradation[0], fixed=True), dict(type='PackInputs'),
]))
