# Rain from a drizzle to that of Rain100H; half of it is that of bsds_rain.py.
_base_ = ['./builtin_rain.py', './bsds500.py', './bundled_photos.py']
region = 128
heavy = [dict(type='irsde_mm.RainStreaks')]
varied = [
    dict(type='irsde_mm.RainStreaks', angle=(-60, 60), length=(6, 60),
         density=(0.0005, 0.01), brightness=(30, 150), layers=(1, 4),
         width=(0.4, 1.6), spread=(0, 25), opacity=(0, 0.5), veil=(0, 0.3)),
    dict(type='mmcv.RandomApply', prob=0.3, transforms=[
        dict(type='irsde_mm.JPEG', quality=(60, 95))])]
train_dataloader = dict(batch_size=4, dataset=dict(
    _delete_=True, **_base_.photos, pipeline=[
        _base_.load_photo,
        dict(type='Crop', keys=['gt'], crop_size=(region, region)),
        *_base_.flips,
        dict(type='mmcv.RandomChoice', prob=[0.46, 0.2, 0.26, 0.08],
             transforms=[_base_.degradation, heavy, varied, _base_.clean]),
        dict(type='PackInputs'),
    ]))
test_dataloader = val_dataloader = dict(dataset=dict(
    _delete_=True, **_base_.bsds500.test,
    pipeline=[_base_.load, *_base_.test_dataloader.dataset.pipeline]))
test_evaluator = dict(
    metrics=_base_.test_evaluator.metrics + _base_.more_scores)
