# Two times larger.
_base_ = './df2k_sets.py'
scale = 2
degradation = [
    dict(type='irsde_mm.LowResolution', scale=scale),
    dict(type='irsde_mm.Upsample', scale=scale),
]
pairs = dict(
    type='irsde_mm.PairedImageDataset', scale=scale, hint=_base_.hint)

train_dataloader = dict(dataset=dict(
    pairs, data_root='data/df2k',
    data_prefix=dict(img=f'LR_bicubic/X{scale}', gt='HR'),
    pipeline=[*_base_.load, *_base_.augment, degradation[1],
              dict(type='PackInputs')]))
test_dataloader = [
    dict(_base_.test_dataloader, dataset=dict(
        pairs, data_root=root,
        data_prefix=dict(img=f'{small}{scale}', gt=large),
        pipeline=[*_base_.load, degradation[1], *crop,
                  dict(type='PackInputs')]))
    for root, small, large, crop in _base_.test_sets.values()]
val_dataloader = test_dataloader[1]  # the central 256x256 of DIV2K
