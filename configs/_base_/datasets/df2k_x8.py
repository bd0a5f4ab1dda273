# As df2k.py, eight times larger. Flickr2K comes without small images for that,
# so all are made from the large ones.
_base_ = './paired.py'
hint = ('DIV2K, Flickr2K and Set5 are distributed by their authors; '
        'tools/prepare_data.py df2k, div2k_valid and set5 lay them out.')
degradation = [
    dict(type='irsde_mm.LowResolution', scale=8),
    dict(type='irsde_mm.Upsample', scale=8),
]
centre = dict(
    type='Crop', keys=['img', 'gt'], crop_size=(256, 256), random_crop=False)
make = [dict(type='irsde_mm.LoadImage', key='gt'), degradation[0]]
clean = dict(type='irsde_mm.CleanImageDataset', hint=hint)
div2k = dict(clean, data_root='data/DIV2K/DIV2K_valid_HR')
set5 = dict(clean, data_root='data/Set5/GTmod12')
whole = [*make, degradation[1], dict(type='PackInputs')]
cropped = [*make, degradation[1], centre, dict(type='PackInputs')]

train_dataloader = dict(dataset=dict(
    _delete_=True, **clean, data_root='data/df2k/HR',
    min_size=_base_.patch_size, max_skipped=_base_.max_skipped,
    pipeline=[*make, *_base_.augment, degradation[1],
              dict(type='PackInputs')]))
val_dataloader = dict(dataset=dict(_delete_=True, **div2k, pipeline=cropped))
test_dataloader = [
    dict(_base_.test_dataloader, dataset=dict(dataset, pipeline=pipeline))
    for dataset, pipeline in (
        (div2k, whole), (div2k, cropped), (set5, whole))]
test_evaluator = [
    dict(type='Evaluator', metrics=[
        dict(metric, prefix=name) for metric in _base_.test_evaluator.metrics])
    for name in ('DIV2K', 'DIV2K_256', 'Set5')]
