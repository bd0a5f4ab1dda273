# Photos of scikit-image, which need no download. The builtin_*.py bases add a
# degradation each, on crops of `region` pixels. Scores leave out 4 pixels at
# each border, the published protocol of most tasks. Tests add LPIPS, which is
# computed on whole images.
patch_size = 64
flips = [
    dict(type='Flip', keys=['gt'], direction='horizontal'),
    dict(type='Flip', keys=['gt'], direction='vertical'),
    dict(type='RandomTransposeHW', keys=['gt']),
]
scores = [
    dict(type='irsde_mm.PSNR'),
    dict(type='irsde_mm.SSIM'),
    dict(type='irsde_mm.PSNR', channel='y'),
    dict(type='irsde_mm.SSIM', channel='y'),
]
perceptual = [dict(type='irsde_mm.LPIPS')]
val_evaluator = dict(type='Evaluator', metrics=[
    dict(score, crop_border=4) for score in scores])
test_evaluator = dict(
    type='Evaluator', metrics=val_evaluator['metrics'] + perceptual)

train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(type='irsde_mm.BuiltinPhotos', split='train'))
test_dataloader = val_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='irsde_mm.BuiltinPhotos', split='test'))
