# Folders of degraded and clean images: what the bases of the published sets
# have in common. Patches of 128, flips and transposes: Luo et al., ICML 2023,
# appendix. Scores on images cut by 4 pixels at every side: the published
# protocol of deraining, deblurring and super-resolution. LPIPS and FID come
# out where their weights are, see docs/tasks.md.
patch_size = 128
max_skipped = 10  # images that may fail during training
region = 256  # what --data degrades: more than a patch, for its borders
load = [
    dict(type='irsde_mm.LoadImage', key='img'),
    dict(type='irsde_mm.LoadImage', key='gt'),
]
augment = [
    dict(type='PairedRandomCrop', gt_patch_size=patch_size),
    dict(type='Flip', keys=['img', 'gt'], direction='horizontal'),
    dict(type='Flip', keys=['img', 'gt'], direction='vertical'),
    dict(type='RandomTransposeHW', keys=['img', 'gt']),
]
val_evaluator = dict(
    type='Evaluator',
    metrics=[
        dict(type='irsde_mm.PSNR', crop_border=4),
        dict(type='irsde_mm.SSIM', crop_border=4),
        dict(type='irsde_mm.PSNR', channel='y', crop_border=4),
        dict(type='irsde_mm.SSIM', channel='y', crop_border=4),
    ])
perceptual = [
    dict(type='irsde_mm.LPIPS'),
    dict(type='irsde_mm.FID'),
    dict(type='irsde_mm.NIQE'),
]
test_evaluator = dict(
    type='Evaluator', metrics=val_evaluator['metrics'] + perceptual)

train_dataloader = dict(
    batch_size=16,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='irsde_mm.PairedImageDataset',
        min_size=patch_size,
        max_skipped=max_skipped,
        pipeline=[*load, *augment, dict(type='PackInputs')]))
test_dataloader = val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='irsde_mm.PairedImageDataset',
        pipeline=[*load, dict(type='PackInputs')]))
