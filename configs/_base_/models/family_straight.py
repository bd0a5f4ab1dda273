# A straight process from the degraded to the clean image (rectified flow, Liu
# et al., ICLR 2023) with the network of quickstart_nafnet.py. From the paper:
# prediction of the velocity, L2, continuous uniform times, Euler steps of the
# flow. Not published: noise of 10/255 at the end (as in PMRF, Ohayon et al.,
# ICLR 2025), 10 calls, network and schedule of the quickstart.
_base_ = './quickstart_nafnet.py'
model = dict(
    sde=dict(
        _delete_=True, type='irsde_mm.StraightSDE', sigma=10 / 255,
        num_steps=100),
    output=dict(_delete_=True, type='irsde_mm.VelocityOutput',
                per_step=False),
    pixel_loss=dict(distance=dict(_delete_=True, type='mmagic.MSELoss')),
    sampler=dict(num_steps=10, eta=0.), timesteps='continuous')
