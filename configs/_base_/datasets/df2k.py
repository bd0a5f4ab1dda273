# DF2K: 3450 training images, DIV2K (Agustsson and Timofte, CVPRW 2017) and
# Flickr2K (Lim et al., CVPRW 2017). Tested on DIV2K valid, whole and on the
# centre of 256x256, and on Set5 (Bevilacqua et al., BMVC 2012). The network
# gets the small image brought to the large one's size as published.
_base_ = './paired.py'
hint = ('DIV2K, Flickr2K and Set5 are distributed by their authors; '
        'tools/prepare_data.py df2k, div2k_valid and set5 lay them out.')
# what --data does with clean photos
degradation = [
    dict(type='irsde_mm.LowResolution', scale=4),
    dict(type='irsde_mm.Upsample', scale=4),
]
centre = dict(
    type='Crop', keys=['img', 'gt'], crop_size=(256, 256), random_crop=False)
div2k = dict(
    type='irsde_mm.PairedImageDataset', data_root='data/DIV2K', scale=4,
    data_prefix=dict(img='DIV2K_valid_LR_bicubic/X4', gt='DIV2K_valid_HR'),
    hint=hint)
set5 = dict(div2k, data_root='data/Set5', data_prefix=dict(
    img='LRbicx4', gt='GTmod12'))
whole = [*_base_.load, degradation[1], dict(type='PackInputs')]
cropped = [*_base_.load, degradation[1], centre, dict(type='PackInputs')]

train_dataloader = dict(dataset=dict(
    data_root='data/df2k', scale=4, hint=hint,
    data_prefix=dict(img='LR_bicubic/X4', gt='HR'),
    pipeline=[*_base_.load, *_base_.augment, degradation[1],
              dict(type='PackInputs')]))
val_dataloader = dict(dataset=dict(div2k, pipeline=cropped))
test_dataloader = [
    dict(_base_.test_dataloader, dataset=dict(dataset, pipeline=pipeline))
    for dataset, pipeline in (
        (div2k, whole), (div2k, cropped), (set5, whole))]
test_evaluator = [
    dict(type='Evaluator', metrics=[
        dict(metric, prefix=name) for metric in _base_.test_evaluator.metrics])
    for name in ('DIV2K', 'DIV2K_256', 'Set5')]
