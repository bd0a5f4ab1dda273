# Denoising (sigma 25) with two calls: denoise.py, which is trained first, and
# 800 iterations of consistency training, see docs/consistency.md.
_base_ = [
    '../_base_/models/quickstart_consistency.py',
    '../_base_/datasets/bsds_noise.py',
    '../_base_/schedules/quickstart_consistency.py',
    '../_base_/default_runtime.py'
]
load_from = 'work_dirs/bsds/denoise/iter_1600.pth'
