# Haze of the tests, and 30 % from mist to fog of many colors. Small patches and
# clean photos make the model doubt that there is haze, so it removes less.
_base_ = ['./builtin_haze.py', './bsds500.py', './bundled_photos.py']
patch_size, region = 240, 320
varied = [
    dict(type='irsde_mm.Haze', beta=(0.3, 2.2), airlight=(0.55, 1),
         tint=(0.8, 1), uneven=(0, 0.6)),
    _base_.some_jpeg]
train_dataloader = dict(batch_size=2, dataset=dict(
    _delete_=True, **_base_.photos, pipeline=[
        _base_.load_photo,
        dict(type='Crop', keys=['gt'], crop_size=(region, region)),
        *_base_.flips,
        dict(type='mmcv.RandomChoice', prob=[0.7, 0.3],
             transforms=[_base_.degradation, varied]),
        dict(type='PairedRandomCrop', gt_patch_size=patch_size),
        dict(type='PackInputs'),
    ]))
test_dataloader = val_dataloader = dict(dataset=dict(
    _delete_=True, **_base_.bsds500.test,
    pipeline=[_base_.load, *_base_.test_dataloader.dataset.pipeline]))
test_evaluator = dict(
    metrics=_base_.test_evaluator.metrics + _base_.more_scores)
