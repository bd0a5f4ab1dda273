# RESIDE: 13,990 training pairs from 1399 clean images (ITS) and 500 test pairs
# from 50 (SOTS-indoor), ten haze levels each (Li et al., IEEE TIP 2019).
# Tested whole and on the centre of 256x256. Nothing is cut at the borders.
_base_ = './paired.py'
hint = ('RESIDE is distributed by its authors (Li et al., IEEE TIP 2019, '
        '"Benchmarking Single-Image Dehazing and Beyond"); '
        'tools/prepare_data.py reside_its and sots_indoor lay it out.')
names = dict(
    data_prefix=dict(img='hazy', gt='clear'),
    templates=dict(img='{}_*', gt='{}'), hint=hint)
# what --data does with clean photos
degradation = [dict(type='irsde_mm.Haze')]
centre = dict(
    type='Crop', keys=['img', 'gt'], crop_size=(256, 256), random_crop=False)
scores = [
    dict(type='irsde_mm.PSNR'),
    dict(type='irsde_mm.SSIM'),
    dict(type='irsde_mm.PSNR', channel='y'),
    dict(type='irsde_mm.SSIM', channel='y'),
]

train_dataloader = dict(dataset=dict(data_root='data/reside/ITS', **names))
# all would take longer than the training in between
val_dataloader = dict(dataset=dict(
    data_root='data/reside/SOTS_indoor', **names, indices=50,
    pipeline=[*_base_.load, centre, dict(type='PackInputs')]))
val_evaluator = dict(metrics=scores)
test_dataloader = [
    dict(_base_.test_dataloader, dataset=dict(
        type='irsde_mm.PairedImageDataset',
        data_root='data/reside/SOTS_indoor', **names,
        pipeline=[*_base_.load, *crop, dict(type='PackInputs')]))
    for crop in ([], [centre])]
test_evaluator = [
    dict(type='Evaluator', metrics=[
        dict(metric, prefix=name) for metric in scores + _base_.perceptual])
    for name in ('SOTS', 'SOTS_256')]
