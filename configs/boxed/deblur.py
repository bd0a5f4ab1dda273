# Deblurring of a trembling camera: the bundled model, docs/models.md.
_base_ = [
    '../_base_/models/quickstart_nafnet.py',
    '../_base_/datasets/builtin_blur.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
# a_T = 0.3 makes two steps enough, which stay near the mean of what is possible
model = dict(
    sde=dict(max_sigma=10 / 255, eps=0.3), sampler=dict(num_steps=2),
    pixel_loss=dict(exact=True))
train_dataloader, val_dataloader, test_dataloader = loaders = (
    _base_.train_dataloader, _base_.val_dataloader, _base_.test_dataloader)
for loader, part in zip(loaders, ('train', 'val', 'val')):
    loader.dataset = dict(
        type='irsde_mm.CleanImageDataset', data_root=f'data/bsds500/{part}',
        max_skipped=10 * (part == 'train'), pipeline=[
        dict(type='irsde_mm.LoadImage', key='gt'), *loader.dataset.pipeline])
del loaders, loader, part
