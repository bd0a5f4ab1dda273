# As df2k.py, eight times larger. Flickr2K has no small images of this scale,
# so all small images are made from the large ones.
_base_ = './df2k.py'
scale = 8
degradation = [dict(step, scale=scale) for step in _base_.degradation]
shrink = [dict(type='irsde_mm.LoadImage', key='gt'), degradation[0]]
clean = dict(type='irsde_mm.CleanImageDataset', hint=_base_.hint)
train_dataloader = dict(dataset=dict(
    _delete_=True, **clean, data_root='data/df2k/HR',
    min_size=_base_.patch_size, max_skipped=_base_.max_skipped,
    pipeline=[*shrink, *_base_.augment, degradation[1],
              dict(type='PackInputs')]))
test_dataloader = [
    dict(loader, dataset=dict(
        clean, data_root=f'{root}/{large}',
        pipeline=[*shrink, degradation[1], *crop, dict(type='PackInputs')]))
    for loader, (root, _, large, crop) in zip(
        _base_.test_dataloader, _base_.test_sets.values())]
val_dataloader = dict(_delete_=True, **test_dataloader[1])
