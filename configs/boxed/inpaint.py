# docs/models.md; train boxed/inpaint_cnn first. a_T = 0.4 makes two steps enough.
_base_ = [
    '../_base_/models/quickstart_nafnet.py',
    '../_base_/datasets/builtin_masks.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
model = dict(
    type='irsde_mm.RefiningRestorer', initial=dict(
        type='irsde_mm.RegressionNetwork', network=_base_.model.generator),
    initial_checkpoint='work_dirs/inpaint_cnn/iter_4000.pth',
    generator=dict(width=8), sde=dict(max_sigma=10 / 255, eps=0.4),
    sampler=dict(num_steps=2), pixel_loss=dict(exact=True))
train_dataloader, val_dataloader, test_dataloader = loaders = (
    _base_.train_dataloader, _base_.val_dataloader, _base_.test_dataloader)
for loader, part in zip(loaders, ('train', 'val', 'val')):
    loader.dataset = dict(
        type='irsde_mm.CleanImageDataset', data_root=f'data/bsds500/{part}',
        max_skipped=10 * (part == 'train'), pipeline=[
        dict(type='irsde_mm.LoadImage', key='gt'), *loader.dataset.pipeline])
del loaders, loader, part
