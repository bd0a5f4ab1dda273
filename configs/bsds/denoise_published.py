# As denoise.py, with the published process for denoising (Denoising-SDE),
# output, objective and training times.
_base_ = [
    '../_base_/models/quickstart_denoising.py',
    '../_base_/datasets/bsds_noise.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
