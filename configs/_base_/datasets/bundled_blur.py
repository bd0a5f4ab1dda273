# Blur of all kinds up to 21 pixels; 40 percent is that of bsds_blur.py.
_base_ = ['./builtin_blur.py', './bsds500.py', './bundled_photos.py']
patch_size, region = 128, 320
varied = [
    dict(type='irsde_mm.MotionBlur', length=(3, 21), gamma=(1, 2.2),
         kind=['shake', 'frames', 'motion', 'defocus']),
    _base_.some_jpeg]
train_dataloader = dict(batch_size=4, dataset=dict(
    _delete_=True, **_base_.photos, pipeline=[
        _base_.load_photo,
        dict(type='Crop', keys=['gt'], crop_size=(region, region)),
        *_base_.flips,
        dict(type='mmcv.RandomChoice', prob=[0.4, 0.54, 0.06],
             transforms=[_base_.degradation, varied, _base_.clean]),
        dict(type='PairedRandomCrop', gt_patch_size=patch_size),
        dict(type='PackInputs'),
    ]))
test_dataloader = val_dataloader = dict(dataset=dict(
    _delete_=True, **_base_.bsds500.test,
    pipeline=[_base_.load, *_base_.test_dataloader.dataset.pipeline]))
test_evaluator = dict(
    metrics=_base_.test_evaluator.metrics + _base_.more_scores)
