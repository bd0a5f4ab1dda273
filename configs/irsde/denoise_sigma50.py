# As denoise.py, tested with sigma 50.
_base_ = [
    '../_base_/models/denoising_unet.py', '../_base_/datasets/denoising.py',
    '../_base_/schedules/irsde_500k.py', '../_base_/default_runtime.py'
]
degradation = [dict(type='irsde_mm.GaussianNoise', sigma=50 / 255)]
val_dataloader, test_dataloader = _base_.val_dataloader, _base_.test_dataloader
for loader in (val_dataloader, *test_dataloader):
    loader.dataset.pipeline[1] = dict(degradation[0], fixed=True)
del loader
