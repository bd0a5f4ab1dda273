# Half of quickstart.py, for trained weights.
_base_ = './quickstart.py'
train_cfg = dict(max_iters=800)
optim_wrapper = dict(optimizer=dict(lr=2e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=20),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=20, end=800,
         eta_min=1e-6),
]
