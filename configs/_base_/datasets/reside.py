# RESIDE: 13,990 training pairs from 1399 clean images (ITS) and 500 test pairs
# from 50 (SOTS-indoor), ten haze levels each (Li et al., IEEE TIP 2019).
# Tested on whole images and on the central 256x256. Scores include borders.
_base_ = './paired.py'
hint = ('RESIDE is distributed by its authors (Li et al., IEEE TIP 2019, '
        '"Benchmarking Single-Image Dehazing and Beyond"); '
        'tools/prepare_data.py reside_its and sots_indoor lay it out.')
names = dict(
    data_prefix=dict(img='hazy', gt='clear'),
    templates=dict(img='{}_*', gt='{}'), hint=hint)
# for clean photos of --data
degradation = [dict(type='irsde_mm.Haze')]

train_dataloader = dict(dataset=dict(data_root='data/reside/ITS', **names))
# the whole set would take longer than the training between two validations
val_dataloader = dict(dataset=dict(
    data_root='data/reside/SOTS_indoor', **names, indices=50,
    pipeline=[*_base_.load, _base_.centre, dict(type='PackInputs')]))
val_evaluator = dict(metrics=_base_.scores)
test_dataloader = [
    dict(_base_.test_dataloader, dataset=dict(
        type='irsde_mm.PairedImageDataset',
        data_root='data/reside/SOTS_indoor', **names,
        pipeline=[*_base_.load, *crop, dict(type='PackInputs')]))
    for crop in ([], [_base_.centre])]
test_evaluator = [
    dict(type='Evaluator', metrics=[
        dict(metric, prefix=name)
        for metric in _base_.scores + _base_.perceptual])
    for name in ('SOTS', 'SOTS_256')]
