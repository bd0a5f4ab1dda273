# The CNN baseline for bsds/denoise.py.
_base_ = [
    '../_base_/models/quickstart_cnn.py', '../_base_/datasets/bsds_noise.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
model = dict(generator=dict(network=dict(conditional=False)))
