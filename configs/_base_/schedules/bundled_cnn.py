# As quickstart.py, for fewer iterations and a network that is already trained.
_base_ = './quickstart.py'
train_cfg = dict(max_iters=1000)
optim_wrapper = dict(optimizer=dict(lr=5e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=100),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=100, end=1000,
         eta_min=1e-6),
]
