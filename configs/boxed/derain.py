# Deraining: the bundled model, docs/models.md.
_base_ = [
    '../_base_/models/quickstart_nafnet.py',
    '../_base_/datasets/builtin_rain.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
model = dict(sampler='fast')
train_dataloader, val_dataloader, test_dataloader = loaders = (
    _base_.train_dataloader, _base_.val_dataloader, _base_.test_dataloader)
for loader, part in zip(loaders, ('train', 'val', 'val')):
    loader.dataset = dict(
        type='irsde_mm.CleanImageDataset', data_root=f'data/bsds500/{part}',
        max_skipped=10 * (part == 'train'), pipeline=[
        dict(type='irsde_mm.LoadImage', key='gt'), *loader.dataset.pipeline])
del loaders, loader, part
