# The bundled model for super-resolution (x4), see docs/models.md. Train
# bundled/sr_cnn first.
_base_ = [
    '../_base_/models/quickstart_refining.py',
    '../_base_/datasets/bundled_low_resolution.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
regression = dict(
    width=48, enc_blocks=[6], middle_blocks=4, dec_blocks=[6], patch_size=4)
# with a_T = 0.4, three steps are enough
model = dict(
    initial=dict(network=regression),
    initial_checkpoint='work_dirs/bundled/sr_cnn/iter_9000.pth',
    generator=dict(width=8), sde=dict(max_sigma=10 / 255, eps=0.4),
    output=dict(_delete_=True, type='irsde_mm.NoiseOutput'),
    sampler=dict(
        _delete_=True, type='irsde_mm.PosteriorSampler', num_steps=3),
    timesteps='discrete', pixel_loss=dict(
        _delete_=True, type='irsde_mm.MaximumLikelihoodLoss', exact=True,
        distance=dict(type='mmagic.L1Loss')))
