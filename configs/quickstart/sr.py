# Super-resolution (x4) with a small network on built-in photos: no download,
# minutes on two cores.
_base_ = [
    '../_base_/models/quickstart_nafnet.py',
    '../_base_/datasets/builtin_low_resolution.py',
    '../_base_/schedules/quickstart_4k.py', '../_base_/default_runtime.py'
]
# few steps stay near the mean of the possible images, which PSNR rewards
model = dict(
    sde=dict(max_sigma=35 / 255),
    sampler=dict(type='irsde_mm.JumpSampler', num_steps=5))
