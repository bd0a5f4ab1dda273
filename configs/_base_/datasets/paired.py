# Pairs of degraded and clean images; the bases of the published data sets
# inherit from this one. Patches of 128 pixels, flips and transposes: Luo et
# al., ICML 2023, appendix. Scores leave out 4 pixels at each border, the
# published protocol of deraining, deblurring and super-resolution. LPIPS and
# FID are reported if their weights are available, see docs/tasks.md.
patch_size = 128
max_skipped = 10  # images that may fail during training
region = 256  # crop that --data degrades, larger than a patch for the borders
load = [
    dict(type='irsde_mm.LoadImage', key='img'),
    dict(type='irsde_mm.LoadImage', key='gt'),
]
flips = [
    dict(type='Flip', keys=['img', 'gt'], direction='horizontal'),
    dict(type='Flip', keys=['img', 'gt'], direction='vertical'),
    dict(type='RandomTransposeHW', keys=['img', 'gt']),
]
augment = [
    dict(type='PairedRandomCrop', gt_patch_size=patch_size), *flips]
centre = dict(
    type='Crop', keys=['img', 'gt'], crop_size=(256, 256), random_crop=False)
scores = [
    dict(type='irsde_mm.PSNR'),
    dict(type='irsde_mm.SSIM'),
    dict(type='irsde_mm.PSNR', channel='y'),
    dict(type='irsde_mm.SSIM', channel='y'),
]
perceptual = [
    dict(type='irsde_mm.LPIPS'),
    dict(type='irsde_mm.FID'),
    dict(type='irsde_mm.NIQE'),
]
val_evaluator = dict(type='Evaluator', metrics=[
    dict(score, crop_border=4) for score in scores])
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
