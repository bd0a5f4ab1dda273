# The bundled model for super-resolution (x4), see docs/models.md. Train
# bundled/sr_cnn first.
_base_ = [
    '../_base_/models/quickstart_refining.py',
    '../_base_/datasets/bsds_low_resolution.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
# with a_T = 0.4, two steps are enough
model = dict(
    initial_checkpoint='work_dirs/sr_cnn/iter_8000.pth',
    generator=dict(width=8), sde=dict(max_sigma=10 / 255, eps=0.4),
    output=dict(_delete_=True, type='irsde_mm.NoiseOutput'),
    sampler=dict(
        _delete_=True, type='irsde_mm.PosteriorSampler', num_steps=2),
    timesteps='discrete', pixel_loss=dict(
        _delete_=True, type='irsde_mm.MaximumLikelihoodLoss', exact=True,
        distance=dict(type='mmagic.L1Loss')))
