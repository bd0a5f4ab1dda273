# Denoising (sigma 25) on BSDS500.
_base_ = [
    '../_base_/models/quickstart_nafnet.py',
    '../_base_/datasets/bsds_noise.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
