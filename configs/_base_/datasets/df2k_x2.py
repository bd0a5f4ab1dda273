# As df2k.py, two times larger.
_base_ = './df2k.py'
scale = 2
degradation = [dict(step, scale=scale) for step in _base_.degradation]
train_dataloader = dict(dataset=dict(
    scale=scale, data_prefix=dict(img=f'LR_bicubic/X{scale}'),
    pipeline=[*_base_.load, *_base_.augment, degradation[1],
              dict(type='PackInputs')]))
test_dataloader = [
    dict(loader, dataset=dict(
        loader.dataset, scale=scale,
        data_prefix=dict(img=f'{small}{scale}', gt=large),
        pipeline=[*_base_.load, degradation[1], *crop,
                  dict(type='PackInputs')]))
    for loader, (_, small, large, crop) in zip(
        _base_.test_dataloader, _base_.test_sets.values())]
val_dataloader = test_dataloader[1]
