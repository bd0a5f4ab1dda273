# Denoising (sigma 25) with a small network on built-in photos: no download,
# minutes on two cores.
_base_ = [
    '../_base_/models/quickstart_denoising.py',
    '../_base_/datasets/builtin_noise.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
