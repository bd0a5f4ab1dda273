# As sr.py, three times larger.
_base_ = [
    '../_base_/models/irsde_unet.py', '../_base_/datasets/df2k.py',
    '../_base_/schedules/irsde_500k.py', '../_base_/default_runtime.py'
]
model = dict(sde=dict(max_sigma=30 / 255))
degradation = [dict(step, scale=3) for step in _base_.degradation]
train_dataloader = _base_.train_dataloader
val_dataloader, test_dataloader = _base_.val_dataloader, _base_.test_dataloader
for loader in (train_dataloader, val_dataloader, *test_dataloader):
    loader.dataset.scale = 3
    loader.dataset.data_prefix.img = loader.dataset.data_prefix.img.replace(
        '4', '3')
    loader.dataset.pipeline = [
        dict(step, scale=3) if 'scale' in step else step
        for step in loader.dataset.pipeline]
patch_size = 120
train_dataloader.dataset.min_size = patch_size
train_dataloader.dataset.pipeline[2].gt_patch_size = patch_size
del loader
