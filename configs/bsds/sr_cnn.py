# The CNN baseline for bsds/sr.py.
_base_ = [
    '../_base_/models/quickstart_cnn.py',
    '../_base_/datasets/bsds_low_resolution.py',
    '../_base_/schedules/quickstart.py', '../_base_/default_runtime.py'
]
