# As sr.py, two times larger.
_base_ = [
    '../_base_/models/irsde_unet.py', '../_base_/datasets/df2k.py',
    '../_base_/schedules/irsde_500k.py', '../_base_/default_runtime.py'
]
model = dict(sde=dict(max_sigma=30 / 255))
degradation = [dict(step, scale=2) for step in _base_.degradation]
train_dataloader = _base_.train_dataloader
val_dataloader, test_dataloader = _base_.val_dataloader, _base_.test_dataloader
for loader in (train_dataloader, val_dataloader, *test_dataloader):
    loader.dataset.scale = 2
    loader.dataset.data_prefix.img = loader.dataset.data_prefix.img.replace(
        '4', '2')
    loader.dataset.pipeline = [
        dict(step, scale=2) if 'scale' in step else step
        for step in loader.dataset.pipeline]
del loader
