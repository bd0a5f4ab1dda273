# Adam 2e-4, halved four times, as in mmagic's super-resolution config.
_base_ = './irsde_500k.py'
optim_wrapper = dict(optimizer=dict(lr=2e-4, betas=(0.9, 0.999)))
param_scheduler = dict(milestones=[250_000, 400_000, 450_000, 475_000])
