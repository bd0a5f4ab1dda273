# As quickstart.py, from the weights of bundled/dehaze_process, for about 4
# hours on one core with bfloat16 (AMX).
_base_ = './quickstart.py'
train_cfg = dict(max_iters=16_000)
optim_wrapper = dict(optimizer=dict(lr=1.5e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=200),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=200, end=16_000,
         eta_min=1e-6),
]
