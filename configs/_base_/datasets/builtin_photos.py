# Photos that come with scikit-image: nothing to download. The bases builtin_*
# add a degradation each. Scores on images cut by 4 pixels at every side: the
# published protocol of most tasks. What is degraded is `region` pixels wide.
patch_size = 64
flips = [
    dict(type='Flip', keys=['gt'], direction='horizontal'),
    dict(type='Flip', keys=['gt'], direction='vertical'),
    dict(type='RandomTransposeHW', keys=['gt']),
]
test_evaluator = val_evaluator = dict(
    type='Evaluator',
    metrics=[
        dict(type='irsde_mm.PSNR', crop_border=4),
        dict(type='irsde_mm.SSIM', crop_border=4),
        dict(type='irsde_mm.PSNR', channel='y', crop_border=4),
        dict(type='irsde_mm.SSIM', channel='y', crop_border=4),
    ])

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
