# Adam 1e-4, halved at 200k of 300k iterations, as in mmagic's config.
_base_ = './irsde_500k.py'
train_cfg = dict(max_iters=300_000)
optim_wrapper = dict(optimizer=dict(betas=(0.9, 0.999)))
param_scheduler = dict(milestones=[200_000])
