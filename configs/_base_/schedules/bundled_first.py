# As quickstart.py, for 90 minutes to 5 hours on one core.
_base_ = './quickstart.py'
train_cfg = dict(max_iters=20_000)
optim_wrapper = dict(optimizer=dict(lr=2e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=200),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=200, end=20_000,
         eta_min=1e-6),
]
