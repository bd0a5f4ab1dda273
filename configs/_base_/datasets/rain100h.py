# Rain100H: 1800 training and 100 test pairs (Yang et al., CVPR 2017).
# Patches of 128, flips and transposes: the paper, appendix. Y scores on images
# cropped by 4 pixels: the published protocol.
data_root = 'data/rain100h'
hint = ('Rain100H and Rain100L are distributed by their authors (Yang et al., '
        'CVPR 2017, "Deep Joint Rain Detection and Removal"): put rainy and '
        'clean images of the same names there.')
test_evaluator = val_evaluator = dict(
    type='Evaluator',
    metrics=[
        dict(type='irsde_mm.PSNR', crop_border=4),
        dict(type='irsde_mm.SSIM', crop_border=4),
        dict(type='irsde_mm.PSNR', channel='y', crop_border=4),
        dict(type='irsde_mm.SSIM', channel='y', crop_border=4),
    ])

train_dataloader = dict(
    batch_size=16,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='irsde_mm.PairedImageDataset',
        data_root=data_root + '/train',
        hint=hint,
        pipeline=[
            dict(type='LoadImageFromFile', key='img'),
            dict(type='LoadImageFromFile', key='gt'),
            dict(type='PairedRandomCrop', gt_patch_size=128),
            dict(type='Flip', keys=['img', 'gt'], direction='horizontal'),
            dict(type='Flip', keys=['img', 'gt'], direction='vertical'),
            dict(type='RandomTransposeHW', keys=['img', 'gt']),
            dict(type='PackInputs'),
        ]))
test_dataloader = val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='irsde_mm.PairedImageDataset',
        data_root=data_root + '/test',
        hint=hint,
        pipeline=[
            dict(type='LoadImageFromFile', key='img'),
            dict(type='LoadImageFromFile', key='gt'),
            dict(type='PackInputs'),
        ]))
