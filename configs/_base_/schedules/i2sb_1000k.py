# Published defaults of I2SB (Liu et al., ICML 2023): AdamW 5e-5 without weight
# decay, 1M iterations, multiplied by 0.99 every 1000, weights averaged with
# momentum 0.01 in each iteration.
_base_ = './irsde_500k.py'
train_cfg = dict(max_iters=1_000_000)
optim_wrapper = dict(optimizer=dict(
    _delete_=True, type='AdamW', lr=5e-5, weight_decay=0.))
param_scheduler = dict(
    _delete_=True, type='StepLR', by_epoch=False, step_size=1000, gamma=0.99)
custom_hooks = [dict(
    _base_.custom_hooks[0], momentum=0.01, interval=1)]
