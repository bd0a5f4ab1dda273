# UniDB (Zhu et al., ICML 2025) with the settings of family_goub.py, which are
# published for it as well, and gamma = 1e7 (1e6 in earlier versions). The
# noise is the consistent one (docs/family.md).
_base_ = './quickstart_nafnet.py'
model = dict(
    sde=dict(
        _delete_=True, type='irsde_mm.UniDB', max_sigma=30 / 255,
        num_steps=100, schedule='cosine', eps=0.005, gamma=1e7),
    output=dict(_delete_=True, type='irsde_mm.NoiseOutput'),
    pixel_loss=dict(
        _delete_=True, type='irsde_mm.MaximumLikelihoodLoss',
        distance=dict(type='mmagic.L1Loss')),
    sampler=dict(_delete_=True, type='irsde_mm.MeanODESampler'),
    timesteps='discrete')
