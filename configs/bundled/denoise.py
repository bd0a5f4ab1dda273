# The bundled model for denoising (sigma 25), see docs/models.md.
_base_ = [
    '../_base_/models/quickstart_denoising.py',
    '../_base_/datasets/bsds_noise.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
model = dict(sampler='fast')
