# Published options of ResShift (Yue et al., NeurIPS 2023) for super-
# resolution: AdamW 5e-5 without weight decay, 500k iterations, milestones 5k
# (taken as the end of a linear warm-up) and 500k, weights averaged with
# momentum 0.001 in each iteration.
_base_ = './irsde_500k.py'
optim_wrapper = dict(optimizer=dict(
    _delete_=True, type='AdamW', lr=5e-5, weight_decay=0.))
param_scheduler = dict(
    _delete_=True, type='LinearLR', start_factor=1 / 5000, by_epoch=False,
    end=5000)
custom_hooks = [dict(
    _base_.custom_hooks[0], momentum=0.001, interval=1)]
