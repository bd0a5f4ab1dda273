# I2SB (Liu et al., ICML 2023) with the network of quickstart_nafnet.py. From
# the published implementation for x4 super-resolution: T = 1000, beta_max =
# 0.3, L2 on the label (xt - x0) / s_t, uniform times, posterior sampling. Not
# published: the network sees the degraded image (an option there), 10 calls,
# network and schedule of the quickstart, deraining.
_base_ = './quickstart_nafnet.py'
model = dict(
    sde=dict(
        _delete_=True, type='irsde_mm.I2SB', num_steps=1000, beta_max=0.3),
    output=dict(_delete_=True, type='irsde_mm.StepOutput'),
    pixel_loss=dict(distance=dict(_delete_=True, type='mmagic.MSELoss')),
    sampler=dict(
        _delete_=True, type='irsde_mm.PosteriorSampler', num_steps=10),
    timesteps='discrete')
