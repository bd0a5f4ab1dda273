# Photos that come with scikit-image under rain made here: no download.
rain = dict(
    type='irsde_mm.RainStreaks', angle=(-30, 30), length=(10, 30),
    density=(0.0015, 0.004), brightness=(40, 100), layers=(1, 3))
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
    dataset=dict(
        type='irsde_mm.BuiltinPhotos',
        split='train',
        pipeline=[
            dict(type='Crop', keys=['gt'], crop_size=(64, 64)),
            dict(type='Flip', keys=['gt'], direction='horizontal'),
            dict(type='Flip', keys=['gt'], direction='vertical'),
            dict(type='RandomTransposeHW', keys=['gt']),
            rain,
            dict(type='PackInputs'),
        ]))
test_dataloader = val_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='irsde_mm.BuiltinPhotos',
        split='test',
        pipeline=[dict(rain, fixed=True), dict(type='PackInputs')]))
