# Colour denoising: DIV2K, Flickr2K, BSD500 and Waterloo in one folder, tested
# on McMaster (18 images), Kodak24 and CBSD68 with sigma 25. Nothing is cut at
# the borders.
_base_ = './paired.py'
hint = ('tools/prepare_data.py df2k, bsd500 and waterloo lay the training '
        'images out, mcmaster, kodak24 and cbsd68 the test images.')
# the loss of a denoising process looks at neither level nor result
degradation = [dict(type='irsde_mm.GaussianNoise', sigma=25 / 255)]
load_gt = dict(type='irsde_mm.LoadImage', key='gt')
pack = dict(type='PackInputs', meta_keys=['sigma'])
scores = [
    dict(type='irsde_mm.PSNR'),
    dict(type='irsde_mm.SSIM'),
    dict(type='irsde_mm.PSNR', channel='y'),
    dict(type='irsde_mm.SSIM', channel='y'),
]
sets = ('McMaster', 'Kodak24', 'CBSD68')
test_sets = [
    dict(type='irsde_mm.CleanImageDataset', hint=hint,
         data_root=f'data/denoising_gaussian_test/{name}',
         pipeline=[load_gt, dict(degradation[0], fixed=True), pack])
    for name in sets]

train_dataloader = dict(dataset=dict(
    _delete_=True, type='irsde_mm.CleanImageDataset', hint=hint,
    data_root='data/denoising_train', min_size=_base_.patch_size,
    max_skipped=_base_.max_skipped,
    pipeline=[
        load_gt, dict(type='Crop', keys=['gt'], crop_size=(128, 128)),
        dict(type='Flip', keys=['gt'], direction='horizontal'),
        dict(type='Flip', keys=['gt'], direction='vertical'),
        dict(type='RandomTransposeHW', keys=['gt']), *degradation, pack]))
val_dataloader = dict(dataset=dict(_delete_=True, **test_sets[0]))
val_evaluator = dict(metrics=scores)
test_dataloader = [
    dict(_base_.test_dataloader, dataset=dataset) for dataset in test_sets]
test_evaluator = [
    dict(type='Evaluator', metrics=[
        dict(metric, prefix=name) for metric in scores + _base_.perceptual])
    for name in sets]
