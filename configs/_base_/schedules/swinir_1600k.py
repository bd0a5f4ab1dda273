# Adam 2e-4, halved four times, as in mmagic's denoising config.
_base_ = './irsde_500k.py'
train_cfg = dict(max_iters=1_600_000)
optim_wrapper = dict(optimizer=dict(lr=2e-4, betas=(0.9, 0.999)))
param_scheduler = dict(
    milestones=[800_000, 1_200_000, 1_400_000, 1_500_000, 1_600_000])
