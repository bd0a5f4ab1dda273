# Deraining with a small network on built-in photos: nothing to download,
# minutes on two cores. lam, rate and steps were found by experiment, see
# docs/results.md.
_base_ = [
    '../_base_/models/irsde_unet.py', '../_base_/datasets/builtin_rain.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
model = dict(
    generator=dict(
        _delete_=True, type='irsde_mm.ConditionalNAFNet', width=16,
        enc_blocks=[1, 1, 2], middle_blocks=1, dec_blocks=[1, 1, 1]),
    sde=dict(max_sigma=50 / 255),
    sampler=dict(num_steps=20, debias=True))
