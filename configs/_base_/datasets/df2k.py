# DF2K: 3450 training images, DIV2K (Agustsson and Timofte, CVPRW 2017) and
# Flickr2K (Lim et al., CVPRW 2017). Tested on DIV2K valid, on whole images
# and on the central 256x256, and on Set5 (Bevilacqua et al., BMVC 2012). As
# published, the network gets the small image upsampled to the large size.
_base_ = './paired.py'
hint = ('DIV2K, Flickr2K and Set5 are distributed by their authors; '
        'tools/prepare_data.py df2k, div2k_valid and set5 lay them out.')
scale = 4
# with --data, both steps are applied to clean photos
degradation = [
    dict(type='irsde_mm.LowResolution', scale=scale),
    dict(type='irsde_mm.Upsample', scale=scale),
]
pairs = dict(type='irsde_mm.PairedImageDataset', scale=scale, hint=hint)
# name: folder, small images without their scale, large images, crop
test_sets = dict(
    DIV2K=('data/DIV2K', 'DIV2K_valid_LR_bicubic/X', 'DIV2K_valid_HR', []),
    DIV2K_256=('data/DIV2K', 'DIV2K_valid_LR_bicubic/X', 'DIV2K_valid_HR',
               [_base_.centre]),
    Set5=('data/Set5', 'LRbicx', 'GTmod12', []))

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
    for root, small, large, crop in test_sets.values()]
val_dataloader = test_dataloader[1]  # the central 256x256 of DIV2K
test_evaluator = [
    dict(type='Evaluator', metrics=[
        dict(metric, prefix=name) for metric in _base_.test_evaluator.metrics])
    for name in test_sets]
