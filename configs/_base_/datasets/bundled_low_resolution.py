# Low resolution as in builtin_low_resolution.py.
_base_ = [
    './builtin_low_resolution.py', './bsds500.py', './bundled_photos.py']
region = 128
train_dataloader = dict(batch_size=4, dataset=dict(
    _delete_=True, **_base_.photos, pipeline=[
        _base_.load_photo,
        dict(type='Crop', keys=['gt'], crop_size=(region, region)),
        *_base_.flips, *_base_.degradation,
        dict(type='PackInputs'),
    ]))
test_dataloader = val_dataloader = dict(dataset=dict(
    _delete_=True, **_base_.bsds500.test,
    pipeline=[_base_.load, *_base_.test_dataloader.dataset.pipeline]))
test_evaluator = dict(
    metrics=_base_.test_evaluator.metrics + _base_.more_scores)
