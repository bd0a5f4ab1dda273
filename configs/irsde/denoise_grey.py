# As denoise.py, on gray images: one channel from the file to the result.
_base_ = './denoise.py'
model = dict(
    generator=dict(in_channels=1, out_channels=1),
    data_preprocessor=dict(
        mean=[0.], std=[255.], output_channel_order=None))
load_gt = dict(type='irsde_mm.LoadImage', key='gt', color_type='grayscale')
train_dataloader = dict(dataset=dict(
    pipeline=[load_gt, *_base_.train_steps]))
pipeline = [load_gt, *_base_.test_steps]
val_dataloader = dict(dataset=dict(pipeline=pipeline))
test_dataloader = [
    dict(loader, dataset=dict(loader.dataset, pipeline=pipeline))
    for loader in _base_.test_dataloader]
