# As derain_refine.py, with a straight process as in PMRF (Ohayon et al., ICLR
# 2025): as published, the network sees only the state, the distance is L2.
_base_ = [
    '../_base_/models/quickstart_refining.py',
    '../_base_/datasets/bsds_rain.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
model = dict(
    initial_checkpoint='work_dirs/bsds/derain_cnn/iter_1600.pth',
    generator=dict(conditional=False),
    sde=dict(_delete_=True, type='irsde_mm.StraightSDE', sigma=10 / 255),
    output=dict(_delete_=True, type='irsde_mm.VelocityOutput', per_step=False),
    sampler=dict(eta=0.), timesteps='discrete',
    pixel_loss=dict(distance=dict(type='mmagic.MSELoss')))
