# Found by experiment for a few minutes on two cores, see docs/results.md.
train_cfg = dict(
    type='irsde_mm.ExactTrainLoop', max_iters=1600, val_interval=10_000)
val_cfg = dict(type='MultiValLoop')
test_cfg = dict(type='MultiTestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(
        type='Adam', lr=5e-3, betas=(0.9, 0.99), fused=True))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=100),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=100, end=1600,
         eta_min=1e-6),
]

custom_hooks = [
    dict(type='EMAHook', ema_type='irsde_mm.ExponentialMovingAverage',
         momentum=0.01, priority='NORMAL'),
]
