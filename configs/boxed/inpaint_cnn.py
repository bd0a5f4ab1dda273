# The regression that boxed/inpaint starts from.
_base_ = [
    '../_base_/models/quickstart_cnn.py',
    '../_base_/datasets/builtin_masks.py',
    '../_base_/schedules/quickstart_4k.py', '../_base_/default_runtime.py'
]
train_dataloader, val_dataloader, test_dataloader = loaders = (
    _base_.train_dataloader, _base_.val_dataloader, _base_.test_dataloader)
for loader, part in zip(loaders, ('train', 'val', 'val')):
    loader.dataset = dict(
        type='irsde_mm.CleanImageDataset', data_root=f'data/bsds500/{part}',
        max_skipped=10 * (part == 'train'), pipeline=[
        dict(type='irsde_mm.LoadImage', key='gt'), *loader.dataset.pipeline])
del loaders, loader, part
