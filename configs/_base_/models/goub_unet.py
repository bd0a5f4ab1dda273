# The published network and process of GOUB (Yue et al., ICML 2024; options of
# deraining and super-resolution): the U-Net of IR-SDE, lam = 30/255, T = 100,
# cosine schedule, eps = 0.005, L1 between Euler mean and posterior mean. The
# Mean-ODE is one of its two samplers.
_base_ = './irsde_unet.py'
model = dict(
    sde=dict(type='irsde_mm.GOUB', max_sigma=30 / 255),
    sampler=dict(type='irsde_mm.MeanODESampler'))
