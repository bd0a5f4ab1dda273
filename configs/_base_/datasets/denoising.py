# Color denoising: DIV2K, Flickr2K, BSD500 and Waterloo in one folder, tested
# on McMaster (18 images), Kodak24 and CBSD68 with sigma 25. Scores include the
# borders.
_base_ = './paired.py'
hint = ('tools/prepare_data.py df2k, bsd500 and waterloo lay the training '
        'images out, mcmaster, kodak24 and cbsd68 the test images. To test '
        'on some of the sets: --cfg-options "sets=[\'McMaster\']".')
# the loss of a Denoising-SDE uses neither the noise level nor the noisy image
degradation = [dict(type='irsde_mm.GaussianNoise', sigma=25 / 255)]
load_gt = dict(type='irsde_mm.LoadImage', key='gt')
pack = dict(type='PackInputs', meta_keys=['sigma'])
train_steps = [
    dict(type='Crop', keys=['gt'], crop_size=(128, 128)),
    dict(type='Flip', keys=['gt'], direction='horizontal'),
    dict(type='Flip', keys=['gt'], direction='vertical'),
    dict(type='RandomTransposeHW', keys=['gt']), *degradation, pack]
test_steps = [dict(degradation[0], fixed=True), pack]
sets = ('McMaster', 'Kodak24', 'CBSD68')
clean = dict(type='irsde_mm.CleanImageDataset', hint=hint)

train_dataloader = dict(dataset=dict(
    _delete_=True, **clean, data_root='data/denoising_train',
    min_size=_base_.patch_size, max_skipped=_base_.max_skipped,
    pipeline=[load_gt, *train_steps]))
test_dataloader = [
    dict(_base_.test_dataloader, dataset=dict(
        clean, data_root=f'data/denoising_gaussian_test/{name}',
        pipeline=[load_gt, *test_steps]))
    for name in sets]
val_dataloader = test_dataloader[0]  # McMaster
val_evaluator = dict(metrics=_base_.scores)
test_evaluator = [
    dict(type='Evaluator', metrics=[
        dict(metric, prefix=name)
        for metric in _base_.scores + _base_.perceptual])
    for name in sets]
