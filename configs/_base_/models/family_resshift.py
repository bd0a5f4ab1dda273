# ResShift (Yue et al., NeurIPS 2023) with the network of quickstart_nafnet.py.
# From the published implementation for real photos: T = 15, kappa = 2, power
# = 0.3, min_noise = 0.04, sqrt(eta_T) = 0.99, prediction of x0, L2, uniform
# times, all 15 steps of the posterior with clamped x0. Not published: pixels
# instead of latents, network and schedule of the quickstart, deraining.
_base_ = './quickstart_nafnet.py'
model = dict(
    sde=dict(
        _delete_=True, type='irsde_mm.ResShift', num_steps=15, kappa=2.0,
        power=0.3, min_noise=0.04, etas_end=0.99),
    output=dict(_delete_=True, type='irsde_mm.CleanOutput'),
    pixel_loss=dict(distance=dict(_delete_=True, type='mmagic.MSELoss')),
    sampler=dict(
        _delete_=True, type='irsde_mm.PosteriorSampler', clamp=(-1, 1)),
    timesteps='discrete')
