# As quickstart.py, five times as long: detail takes most steps to learn.
_base_ = './quickstart.py'
train_cfg = dict(max_iters=8000, val_interval=10_000)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=100),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=100, end=8000,
         eta_min=1e-6),
]
