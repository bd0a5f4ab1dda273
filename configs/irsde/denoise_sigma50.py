# As denoise.py, tested with sigma 50.
_base_ = './denoise.py'
degradation = [dict(type='irsde_mm.GaussianNoise', sigma=50 / 255)]
pipeline = [_base_.load_gt, dict(degradation[0], fixed=True), _base_.pack]
val_dataloader = dict(dataset=dict(pipeline=pipeline))
test_dataloader = [
    dict(loader, dataset=dict(loader.dataset, pipeline=pipeline))
    for loader in _base_.test_dataloader]
