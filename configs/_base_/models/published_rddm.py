# RDDM (Liu et al., CVPR 2024) as in its implementation for restoration: T =
# 1000, sum_scale = 0.01, prediction of residual and noise, L1, uniform times,
# 5 deterministic steps with clamped estimates. Not published: the U-Net of
# IR-SDE with six output channels instead of two U-Nets of
# denoising-diffusion-pytorch.
_base_ = './irsde_unet.py'
model = dict(
    generator=dict(out_channels=6),
    sde=dict(
        _delete_=True, type='irsde_mm.RDDM', num_steps=1000, sum_scale=0.01),
    output=dict(type='irsde_mm.ResidualNoiseOutput'),
    pixel_loss=dict(
        _delete_=True, type='irsde_mm.OutputLoss',
        distance=dict(type='mmagic.L1Loss')),
    sampler=dict(
        _delete_=True, type='irsde_mm.JumpSampler', num_steps=5, eta=0.,
        clamp=(-1, 1)),
    timesteps='discrete')
