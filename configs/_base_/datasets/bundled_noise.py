# Noise of the tests, and noise of all levels, of sensors, and in JPEG files.
_base_ = ['./builtin_noise.py', './bsds500.py', './bundled_photos.py']
region = 128
gaussian = dict(type='irsde_mm.GaussianNoise', sigma=(0, 50 / 255))
varied = [
    dict(type='irsde_mm.RandomDegradation', choices=[
        [gaussian], [dict(gaussian, clip=True)],
        [dict(type='irsde_mm.PoissonNoise', clip=True)]]),
    _base_.some_jpeg]
train_dataloader = dict(batch_size=4, dataset=dict(
    _delete_=True, **_base_.photos, pipeline=[
        _base_.load_photo,
        dict(type='Crop', keys=['gt'], crop_size=(region, region)),
        *_base_.flips,
        dict(type='mmcv.RandomChoice', prob=[0.5, 0.45, 0.05],
             transforms=[_base_.degradation, varied, _base_.clean]),
        dict(type='PackInputs'),
    ]))
test_dataloader = val_dataloader = dict(dataset=dict(
    _delete_=True, **_base_.bsds500.test,
    pipeline=[_base_.load, *_base_.test_dataloader.dataset.pipeline]))
test_evaluator = dict(
    metrics=_base_.test_evaluator.metrics + _base_.more_scores)
