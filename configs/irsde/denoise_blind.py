# As denoise.py; the noise level is not told but estimated from the photo.
_base_ = [
    '../_base_/models/denoising_unet.py', '../_base_/datasets/denoising.py',
    '../_base_/schedules/irsde_500k.py', '../_base_/default_runtime.py'
]
val_dataloader, test_dataloader = _base_.val_dataloader, _base_.test_dataloader
for loader in (val_dataloader, *test_dataloader):
    loader.dataset.pipeline[-1] = dict(type='PackInputs')
del loader
