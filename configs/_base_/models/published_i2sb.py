# I2SB (Liu et al., ICML 2023), as in its implementation for x4 super-
# resolution: T = 1000, beta_max = 0.3, L2 on the label (xt - x0) / s_t,
# uniform times. Not published: the U-Net of IR-SDE instead of that of
# guided-diffusion, which starts from weights trained on ImageNet and does not
# see the degraded image (an option there), and 10 calls.
_base_ = './irsde_unet.py'
model = dict(
    sde=dict(
        _delete_=True, type='irsde_mm.I2SB', num_steps=1000, beta_max=0.3),
    output=dict(type='irsde_mm.StepOutput'),
    pixel_loss=dict(
        _delete_=True, type='irsde_mm.OutputLoss',
        distance=dict(type='mmagic.MSELoss')),
    sampler=dict(num_steps=10), timesteps='discrete')
