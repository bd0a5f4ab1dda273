# As quickstart.py, longer: small differences take more steps to learn.
_base_ = './quickstart.py'
train_cfg = dict(max_iters=4000, val_interval=10_000)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=100),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=100, end=4000,
         eta_min=1e-6),
]
