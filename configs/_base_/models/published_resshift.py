# ResShift (Yue et al., NeurIPS 2023) as in its options for bicubic x4 super-
# resolution (bicubic_swinunet_bicubic256.yaml): T = 15, kappa = 1, power =
# 0.3, min_noise = 0.04, sqrt(eta_T) = 0.99, prediction of x0, L2, uniform
# times, all 15 steps of the posterior with clamped x0. Not published: images
# instead of the latents of a quantizing autoencoder, and the U-Net of IR-SDE
# instead of one with Swin attention.
_base_ = './irsde_unet.py'
model = dict(
    sde=dict(
        _delete_=True, type='irsde_mm.ResShift', num_steps=15, kappa=1.0,
        power=0.3, min_noise=0.04, etas_end=0.99),
    output=dict(type='irsde_mm.CleanOutput'),
    pixel_loss=dict(
        _delete_=True, type='irsde_mm.OutputLoss',
        distance=dict(type='mmagic.MSELoss')),
    sampler=dict(clamp=(-1, 1)), timesteps='discrete')
