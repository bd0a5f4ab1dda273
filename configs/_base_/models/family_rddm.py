# RDDM (Liu et al., CVPR 2024) with the network of quickstart_nafnet.py, which
# gets three more output channels. From the published implementation: T =
# 1000, sum_scale = 0.01 for restoration (1 for raindrops), prediction of
# residual and noise, L1, uniform times, 5 deterministic steps with clamped
# estimates. Not published: one network with two heads instead of two, network
# and schedule of the quickstart.
_base_ = './quickstart_nafnet.py'
model = dict(
    generator=dict(out_channels=6),
    sde=dict(
        _delete_=True, type='irsde_mm.RDDM', num_steps=1000, sum_scale=0.01),
    output=dict(_delete_=True, type='irsde_mm.ResidualNoiseOutput'),
    sampler=dict(num_steps=5, eta=0., clamp=(-1, 1)), timesteps='discrete')
