# A small version of mmagic's Restormer for comparison with bsds/denoise.py.
_base_ = [
    '../_base_/models/quickstart_restormer.py',
    '../_base_/datasets/bsds_noise.py',
    '../_base_/schedules/quickstart_restormer.py',
    '../_base_/default_runtime.py'
]
model = dict(generator=dict(LayerNorm_type='BiasFree'))
