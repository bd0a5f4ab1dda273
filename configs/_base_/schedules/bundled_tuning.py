# As quickstart.py, for a network that is already trained, for 45 to 150
# minutes on one core.
_base_ = './quickstart.py'
train_cfg = dict(max_iters=9000)
optim_wrapper = dict(optimizer=dict(lr=1.5e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=100),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=100, end=9000,
         eta_min=1e-6),
]
