# Adam 1e-4, betas (0.9, 0.99), 500k iterations, halved at 200k and 400k: the
# paper, appendix. (The published yml now says batch size 4 and 700k
# iterations; its users report 28 to 29.5 dB on Rain100H with it.)
train_cfg = dict(
    type='irsde_mm.ExactTrainLoop', max_iters=500_000, val_interval=5000)
val_cfg = dict(type='MultiValLoop')
test_cfg = dict(type='MultiTestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(
        type='Adam', lr=1e-4, betas=(0.9, 0.99), fused=True))
param_scheduler = dict(
    type='MultiStepLR', by_epoch=False, milestones=[200_000, 400_000],
    gamma=0.5)

# momentum 0.005 every 10 iterations; checkpoints hold the averaged weights
custom_hooks = [
    dict(type='EMAHook', ema_type='irsde_mm.ExponentialMovingAverage',
         momentum=0.005, interval=10, priority='NORMAL'),
]
