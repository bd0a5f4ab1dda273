# As denoise.py on grey images: one channel from the file to the result.
_base_ = [
    '../_base_/models/denoising_unet.py', '../_base_/datasets/denoising.py',
    '../_base_/schedules/irsde_500k.py', '../_base_/default_runtime.py'
]
model = dict(
    generator=dict(in_channels=1, out_channels=1),
    data_preprocessor=dict(
        mean=[0.], std=[255.], output_channel_order=None))
train_dataloader = _base_.train_dataloader
val_dataloader, test_dataloader = _base_.val_dataloader, _base_.test_dataloader
for loader in (train_dataloader, val_dataloader, *test_dataloader):
    loader.dataset.pipeline[0] = dict(
        type='irsde_mm.LoadImage', key='gt', color_type='grayscale')
del loader
