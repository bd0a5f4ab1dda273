# Denoising (sigma 25) on BSDS500 with one or two calls, see docs/consistency.md.
_base_ = [
    '../_base_/models/quickstart_consistency.py',
    '../_base_/datasets/bsds_noise.py',
    '../_base_/schedules/quickstart_consistency.py',
    '../_base_/default_runtime.py'
]
