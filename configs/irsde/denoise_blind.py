# As denoise.py, but the noise level is estimated from the photo.
_base_ = './denoise.py'
pipeline = [
    _base_.load_gt, dict(_base_.degradation[0], fixed=True),
    dict(type='PackInputs')]
val_dataloader = dict(dataset=dict(pipeline=pipeline))
test_dataloader = [
    dict(loader, dataset=dict(loader.dataset, pipeline=pipeline))
    for loader in _base_.test_dataloader]
