# GOUB (Yue et al., ICML 2024) with the network of quickstart_nafnet.py. From
# the published options of deraining and super-resolution: lam = 30/255, T =
# 100, cosine schedule, eps = 0.005, L1 between Euler mean and posterior mean
# of a predicted noise; 100 steps of the Mean-ODE, one of its two samplers. Not
# published: network and schedule of the quickstart.
_base_ = './quickstart_nafnet.py'
model = dict(
    sde=dict(
        _delete_=True, type='irsde_mm.GOUB', max_sigma=30 / 255,
        num_steps=100, schedule='cosine', eps=0.005),
    output=dict(_delete_=True, type='irsde_mm.NoiseOutput'),
    pixel_loss=dict(
        _delete_=True, type='irsde_mm.MaximumLikelihoodLoss',
        distance=dict(type='mmagic.L1Loss')),
    sampler=dict(_delete_=True, type='irsde_mm.MeanODESampler'),
    timesteps='discrete')
